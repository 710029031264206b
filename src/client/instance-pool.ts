import type { Picker } from "../balance/picker.js";
import { createWeightedRoundRobin } from "../balance/weighted-round-robin.js";
import type { Instance } from "../core/instance.js";
import type { Clock, Logger, Random } from "../core/ports.js";
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
  readonly #picker: Picker<PoolMember>;
  readonly #waiting = new Set<() => void>();
  readonly #memberPorts: MemberPorts;
  #closed = false;

  constructor(ports: PoolPorts) {
    this.#picker = createWeightedRoundRobin<PoolMember>({ random: ports.random });
    this.#memberPorts = {
      ...ports,
      hurryMs: () => this.#hurryMs(),
      onUsable: (member, usable) => this.#onUsable(member, usable),
    };
  }

  /** How many instances can be picked now. */
  get usable(): number {
    return this.#picker.size;
  }

  /** Whether any instance could be picked if its connection worked: listed, with a weight above 0. */
  get hasCandidate(): boolean {
    if (this.#picker.size > 0) return true;
    for (const member of this.#members.values()) if (member.weight > 0) return true;
    return false;
  }

  /** Applies a list. Instances that are gone take no new attempts, and close when those under way have ended. */
  update(instances: readonly Instance[]): void {
    if (this.#closed) return;
    const gone = new Set(this.#members.keys());
    const joining: string[] = [];
    for (const instance of instances) {
      gone.delete(instance.key);
      const member = this.#members.get(instance.key);
      if ((member?.weight ?? 0) === 0 && instance.weight > 0) joining.push(instance.key);
      if (member !== undefined) member.replace(instance);
      else this.#members.set(instance.key, new PoolMember(instance, this.#memberPorts));
    }
    for (const key of gone) {
      this.#members.get(key)?.close();
      this.#members.delete(key);
    }
    if (this.#hasReady()) for (const key of joining) this.#members.get(key)?.prove();
    this.#picker.update([...this.#members.values()].filter((member) => member.usable));
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

  #hasReady(): boolean {
    for (const member of this.#members.values()) if (member.ready && member.weight > 0) return true;
    return false;
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
