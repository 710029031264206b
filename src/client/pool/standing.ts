import { type NewsPorts, ReasonNews, type Words } from "./reason-news.js";

/**
 * Why a member is not in rotation: it has joined and not been reached yet (`unproven`), its connection does not work
 * (`unreachable`), it says itself that it is not serving (`not-serving`), or attempts on it went badly (`ejected`). The last
 * one is our judgement and kept within bounds by who judges; the others are facts.
 */
export type OutReason = "unproven" | "unreachable" | "not-serving" | "ejected";

/** What standings need from outside; the same for all members of a pool. */
export interface StandingPorts extends NewsPorts {
  /** How many members are out for each reason; one that is out for two counts twice. */
  readonly tally: StandingTally;
}

/** How many members are out for each reason. */
export type StandingTally = Record<OutReason, number>;

/** Nothing is said of those who have only just joined. */
const words: Readonly<Record<OutReason, Words | undefined>> = {
  unproven: undefined,
  unreachable: { out: "instance cannot be reached", back: "instance reached again" },
  "not-serving": {
    out: "instance says that it is not serving",
    back: "instance says that it is serving again",
  },
  ejected: { out: "instance taken out of rotation", back: "instance back in rotation" },
};

/** What weighs most first: whoever cannot be reached cannot say anything either. */
const byWeight: readonly OutReason[] = ["unreachable", "unproven", "not-serving", "ejected"];

/** Makes a tally of a pool in which nobody is out. */
export function createTally(): StandingTally {
  return { unproven: 0, unreachable: 0, "not-serving": 0, ejected: 0 };
}

/** Why one member is out of rotation: in, unless there is a reason; the log is told of each as it comes and goes. */
export class Standing {
  readonly #instance: string;
  readonly #ports: StandingPorts;
  readonly #reasons = new Set<OutReason>();
  readonly #news = new Map<OutReason, ReasonNews>();

  constructor(instance: string, ports: StandingPorts) {
    this.#instance = instance;
    this.#ports = ports;
  }

  /** Whether the member is in rotation. */
  get isIn(): boolean {
    return this.#reasons.size === 0;
  }

  /** What weighs most of what keeps it out; undefined while it is in. */
  get mainReason(): OutReason | undefined {
    return this.isIn ? undefined : byWeight.find((reason) => this.#reasons.has(reason));
  }

  has(reason: OutReason): boolean {
    return this.#reasons.has(reason);
  }

  /**
   * There is this reason from now on.
   *
   * @param fields - what the log is told besides
   * @returns whether the member was in and is out now
   */
  out(reason: OutReason, fields: object = {}): boolean {
    if (this.#reasons.has(reason)) return false;
    const wasIn = this.isIn;
    this.#reasons.add(reason);
    this.#ports.tally[reason]++;
    this.#newsOf(reason)?.out({ instance: this.#instance, reason, ...fields });
    return wasIn;
  }

  /**
   * The reason is gone.
   *
   * @param told - whether that is news for the log: it is well again
   * @returns whether the member was out and is in now
   */
  back(reason: OutReason, told = true): boolean {
    if (!this.#drop(reason)) return false;
    this.#news.get(reason)?.back(told ? { instance: this.#instance, reason } : undefined);
    return this.isIn;
  }

  /** The member has left. */
  end(): void {
    for (const reason of byWeight) this.#drop(reason);
    for (const news of this.#news.values()) news.end();
  }

  #drop(reason: OutReason): boolean {
    if (!this.#reasons.delete(reason)) return false;
    this.#ports.tally[reason]--;
    return true;
  }

  #newsOf(reason: OutReason): ReasonNews | undefined {
    const said = words[reason];
    if (said === undefined) return undefined;
    const known = this.#news.get(reason) ?? new ReasonNews(this.#ports, said);
    this.#news.set(reason, known);
    return known;
  }
}
