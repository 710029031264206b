/** What a picker needs to know of an instance: who it is and how much it can take. */
export interface Weighted {
  /** Stable identity. Two objects with the same key are the same instance, wherever they stand in a list. */
  readonly key: string;
  /** Share of the calls relative to the other instances: 0 (never picked), or 0.000001 to 1,000,000. */
  readonly weight: number;
}

/** What a picker is made with. */
export interface PickerPorts {
  /** Numbers from 0 up to but not including 1. */
  readonly random: () => number;
  /** The time, in milliseconds. */
  readonly now: () => number;
}

/** How an attempt on a picked instance ended; pickers that balance by load use it, weighted round robin does not. */
export interface PickOutcome {
  /**
   * Whether the instance answered; an error that the instance did not cause counts as an answer. Undefined when nobody knows:
   * this side gave the attempt up (a lost hedge, a caller that went away, a deadline that was too short for anybody), or it
   * never left. Then `durationMs` says only that an answer would have taken longer.
   */
  readonly ok: boolean | undefined;
  /** Time from the pick to the end of the attempt, in milliseconds. */
  readonly durationMs: number;
}

/**
 * Chooses an instance for one attempt.
 *
 * Synchronous and without timers. A picker keeps its place across changes of the list: telling it the same
 * list again, in any order and with new objects, changes nothing about the picks to come.
 */
export interface Picker<T extends Weighted> {
  /** How many instances can be picked, that is, how many known ones have a weight above 0. */
  readonly size: number;

  /**
   * Replaces the list: keys that are new join, keys that are missing leave, changed weights are reweighed.
   *
   * The order of the list means nothing. The same key and weight with another object only swaps the object
   * that {@link Picker.pick} returns. Either the whole list is taken or, when it throws, none of it.
   *
   * @param instances - the complete list; may be empty
   * @throws RangeError for a key that occurs twice, or a weight that is neither 0 nor a number from 0.000001 to 1,000,000
   */
  update(instances: readonly T[]): void;

  /**
   * Joins one instance, or reweighs and replaces it when its key is known; weight 0 makes it leave.
   *
   * To join many at once use {@link Picker.update}: it also spreads them over the schedule, so that many
   * clients that learn of the same instances do not all call the same one first.
   *
   * @throws RangeError for a weight that is neither 0 nor a number from 0.000001 to 1,000,000
   */
  add(instance: T): void;

  /** Makes one instance leave; an unknown key is ignored. */
  remove(key: string): void;

  /**
   * Chooses an instance and charges the pick to it.
   *
   * @param excluded - keys not to choose, such as the instances that this call has already tried; meant to
   *   be small, the cost grows with its size; unknown keys are ignored
   * @returns the object last given for the chosen key; undefined when nothing can be picked
   */
  pick(excluded?: ReadonlySet<string>): T | undefined;

  /**
   * Tells how an attempt on a picked instance ended: once for every pick, also for one that was not used after all (`ok`
   * undefined, 0 ms), or it counts as under way for ever. A key that has left is ignored.
   */
  ended(instance: T, outcome: PickOutcome): void;
}
