import type { Picker } from "../balance/picker.js";
import { createWeightedRoundRobin } from "../balance/weighted-round-robin.js";
import type { Instance } from "../core/instance.js";
import type { Clock, Logger, Random } from "../core/ports.js";
import type { SnapshotChange } from "../core/snapshot.js";
import type { AttemptEnd, TransportFactory } from "../transport/transport.js";
import { type MemberPorts, PoolMember } from "./pool-member.js";

/** What a pool needs from outside. */
export interface PoolPorts {
  readonly createTransport: TransportFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly connectTimeoutMs: number;
}

/** First wait between two tries to reach an instance that somebody waits for, in milliseconds. */
const HURRY_MS = 200;

/** A change of more instances than this goes to the picker as a whole list: each alone would cost it more. */
const FEW = 64;

/**
 * The instances of a service that calls can go to.
 *
 * The picker holds those that are usable; one whose connection does not work leaves it until it works again. Lists are
 * applied as a difference by key: what stays keeps its connection and its place in the schedule. What joins while another
 * instance is connected proves itself before it is picked, so that one that cannot be reached costs no call; the first
 * list is connected to by calls.
 */
export class InstancePool {
  readonly #members = new Map<string, PoolMember>();
  /** Those that are connected and have a weight above 0. */
  readonly #serving = new Set<PoolMember>();
  readonly #picker: Picker<PoolMember>;
  readonly #waiting = new Set<() => void>();
  readonly #memberPorts: MemberPorts;
  /** How many have a weight above 0. */
  #weighted = 0;
  #closed = false;

  constructor(ports: PoolPorts) {
    this.#picker = createWeightedRoundRobin<PoolMember>({ random: ports.random });
    this.#memberPorts = {
      ...ports,
      hurryMs: () => this.#hurryMs(),
      onUsable: (member, usable) => this.#onUsable(member, usable),
      onReady: (member) => this.#noteServing(member),
    };
  }

  /** How many instances can be picked now. */
  get usable(): number {
    return this.#picker.size;
  }

  /** Whether any instance could be picked if its connection worked: listed, with a weight above 0. */
  get hasCandidate(): boolean {
    return this.#weighted > 0;
  }

  /**
   * Applies a list. Instances that are gone take no new attempts, and close when those under way have ended.
   *
   * @param change - what leads to it from the list before, where that is known: the others are not looked at
   */
  update(instances: readonly Instance[], change?: SnapshotChange): void {
    if (this.#closed) return;
    const { changed, removed } = change ?? {
      changed: instances,
      removed: this.#goneFrom(instances),
    };
    for (const key of removed) this.#drop(key);
    const joining: PoolMember[] = [];
    for (const instance of changed) {
      const joined = this.#take(instance);
      if (joined !== undefined) joining.push(joined);
    }
    if (this.#serving.size > 0) for (const member of joining) member.prove();
    const entering = joining.filter(({ usable }) => usable);
    // Several that enter at once do so as a group, or their first calls would follow each other.
    const few = changed.length + removed.length <= FEW && entering.length <= 1;
    if (change !== undefined && few) this.#tellPicker(changed, removed);
    else this.#picker.update([...this.#members.values()].filter(({ usable }) => usable));
    // Also when nothing can be picked: whoever waits must hear that there is nothing to wait for.
    this.#wake();
  }

  /**
   * Chooses an instance for one attempt, one that is not excluded if there is one.
   *
   * @returns undefined when none is usable
   */
  pick(excluded?: ReadonlySet<string>): PoolMember | undefined {
    return (
      this.#picker.pick(excluded) ?? (excluded === undefined ? undefined : this.#picker.pick())
    );
  }

  /** Tells how an attempt ended; an error that the instance answered with counts as an answer. */
  ended(member: PoolMember, end: AttemptEnd, durationMs: number): void {
    const ok = end.reason === undefined || end.remote;
    this.#picker.ended(member, { ok, durationMs });
  }

  /** Whether a usable instance is not among these. */
  hasOther(tried: ReadonlySet<string>): boolean {
    let others = this.#picker.size;
    for (const key of tried) {
      const member = this.#members.get(key);
      if (member?.usable === true && member.weight > 0) others--;
    }
    return others > 0;
  }

  /** Calls back once when an instance may have become usable or the list has changed; until taken back. */
  wait(changed: () => void): () => void {
    const first = this.#waiting.size === 0;
    this.#waiting.add(changed);
    // Later ones need not: as long as anybody waits, members that fail hurry by themselves.
    if (first) for (const member of this.#members.values()) member.hurry();
    return () => {
      this.#waiting.delete(changed);
    };
  }

  /** Closes every connection when the attempts on it have ended. */
  close(): void {
    this.#closed = true;
    for (const member of this.#members.values()) member.close();
    this.#members.clear();
    this.#serving.clear();
    this.#weighted = 0;
    this.#picker.update([]);
    this.#waiting.clear();
  }

  #onUsable(member: PoolMember, usable: boolean): void {
    if (usable) {
      this.#picker.add(member);
      this.#wake();
    } else {
      this.#picker.remove(member.key);
    }
  }

  #goneFrom(instances: readonly Instance[]): readonly string[] {
    if (this.#members.size === 0) return [];
    const listed = new Set<string>();
    for (const { key } of instances) listed.add(key);
    return [...this.#members.keys()].filter((key) => !listed.has(key));
  }

  #drop(key: string): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    this.#members.delete(key);
    this.#serving.delete(member);
    if (member.weight > 0) this.#weighted--;
    member.close();
  }

  /** Takes an instance over; its member when it had no share of traffic and now has one. */
  #take(instance: Instance): PoolMember | undefined {
    const known = this.#members.get(instance.key);
    const before = known?.weight ?? 0;
    const member = known ?? new PoolMember(instance, this.#memberPorts);
    if (known === undefined) this.#members.set(instance.key, member);
    else known.replace(instance);
    this.#weighted += Number(instance.weight > 0) - Number(before > 0);
    this.#noteServing(member);
    return before === 0 && instance.weight > 0 ? member : undefined;
  }

  /** One by one, as the list would be taken: first who leaves, then who stays and who enters. */
  #tellPicker(changed: readonly Instance[], removed: readonly string[]): void {
    for (const key of removed) this.#picker.remove(key);
    for (const { key, weight } of changed) if (weight === 0) this.#picker.remove(key);
    for (const { key, weight } of changed) {
      const member = this.#members.get(key);
      if (weight > 0 && member?.usable === true) this.#picker.add(member);
    }
  }

  #noteServing(member: PoolMember): void {
    if (member.ready && member.weight > 0) this.#serving.add(member);
    else this.#serving.delete(member);
  }

  /** A thousand tries a second, however many instances are down. */
  #hurryMs(): number {
    return this.#waiting.size === 0
      ? Number.POSITIVE_INFINITY
      : Math.max(HURRY_MS, this.#members.size);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const changed of waiting) changed();
  }
}
