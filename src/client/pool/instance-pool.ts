import { subsetOf } from "../../balance/subset.js";
import { runOutsideCalls } from "../../core/ambient-call.js";
import type { Instance } from "../../core/instance.js";
import { afterReads } from "../../core/loop-turns.js";
import type { Clock, Logger, Random } from "../../core/ports.js";
import type { SnapshotChange } from "../../core/snapshot.js";
import type { AttemptEnd, TransportFactory } from "../../transport/transport.js";
import type { ResolvedPoolPolicy } from "../pool-options.js";
import type { EjectionCause } from "./ejection.js";
import { IdleSweep } from "./idle-sweep.js";
import { LineLimit } from "./line-limit.js";
import { OpeningLine } from "./opening-line.js";
import { type NoneReason, type PoolCounts, poolCounts, whyNone } from "./pool-counts.js";
import { type MemberPorts, PoolMember } from "./pool-member.js";
import { RetryPace } from "./retry-pace.js";
import { Rotation } from "./rotation.js";
import { SilenceWatch } from "./silence-watch.js";
import { createTally } from "./standing.js";

/** What a pool needs from outside. */
export interface PoolPorts {
  readonly createTransport: TransportFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly policy: ResolvedPoolPolicy;
  /** An instance has been taken out of rotation by how attempts on it went. */
  readonly onEjected: (cause: EjectionCause) => void;
  /** Runs when what had arrived by now has been read. @defaultValue two turns of the event loop later */
  readonly afterReads?: (run: () => void) => void;
}

/** A change of more instances than this goes to the picker as a whole list: each alone would cost it more. */
const FEW = 64;

/**
 * The instances of a service that calls can go to.
 *
 * Lists are applied as a difference by key: what stays keeps its connection and its place in the schedule. What joins while
 * another instance is connected proves itself before it is picked, so that one that cannot be reached costs no call; the first
 * list is connected to by calls. Who can be picked is in {@link Rotation}, why somebody cannot in `standing.ts`.
 */
export class InstancePool {
  readonly #members = new Map<string, PoolMember>();
  readonly #connected = new Set<PoolMember>();
  readonly #rotation: Rotation;
  readonly #silence: SilenceWatch;
  readonly #idle: IdleSweep;
  readonly #line: OpeningLine;
  readonly #lines: LineLimit;
  readonly #tally = createTally();
  readonly #kept = createTally();
  readonly #pace: RetryPace;
  readonly #waiting = new Set<() => void>();
  readonly #memberPorts: MemberPorts;
  readonly #subsetSize: number;
  readonly #subsetSeed: number;
  /** How many have a weight above 0. */
  #weighted = 0;
  /** A list is being taken over: whoever waits is woken when the picker knows all of it. */
  #updating = false;
  #closed = false;

  constructor(outside: PoolPorts) {
    const clock = clockOutsideCalls(outside.clock);
    const ports = { ...outside, clock };
    const { random, policy } = ports;
    this.#subsetSize = policy.subsetSize;
    this.#subsetSeed = Number.isFinite(policy.subsetSize) ? Math.floor(random() * 2 ** 32) : 0;
    this.#rotation = new Rotation({
      ...ports,
      memberOf: (key) => this.#members.get(key),
      noneServes: () => this.#weighted > 0 && this.#kept["not-serving"] === this.#weighted,
    });
    this.#silence = new SilenceWatch({
      clock,
      afterReads: ports.afterReads ?? afterReads,
      onSilence: (member, silent) => this.#rotation.silent(member, silent),
    });
    this.#idle = new IdleSweep(clock, policy.idleTimeoutMs, this.#connected);
    this.#pace = new RetryPace(clock, policy.idleTimeoutMs, () => this.#waiting.size > 0);
    this.#line = new OpeningLine({ clock, retryGapMs: () => this.#pace.gapMs() });
    this.#lines = new LineLimit(clock, ports.logger);
    this.#memberPorts = {
      ...ports,
      tally: this.#tally,
      kept: this.#kept,
      lines: this.#lines,
      line: this.#line,
      retrying: this.#pace.retrying,
      needed: () => this.#rotation.size === 0,
      healthCheck: policy.healthCheck,
      connectTimeoutMs: policy.connectTimeoutMs,
      hurryMs: () => this.#pace.hurryMs(this.#members.size),
      onUsable: (member, usable) => this.#onUsable(member, usable),
      onConnected: (member) => this.#onConnected(member),
    };
  }

  /** How many instances can be picked now. */
  get usable(): number {
    return this.#rotation.size;
  }

  /** Whether any instance could be picked if nothing were known against it: listed, with a weight above 0. */
  get hasWeighted(): boolean {
    return this.#weighted > 0;
  }

  /** How many instances are in which state. */
  counts(): PoolCounts {
    return poolCounts(this.#tally, {
      listed: this.#members.size,
      weighted: this.#weighted,
      usable: this.#rotation.size,
      connected: this.#connected.size,
    });
  }

  /** Why none of the instances with a weight can be picked. */
  whyNone(): NoneReason {
    return whyNone(this.#kept);
  }

  /**
   * Applies a list. Instances that are gone take no new attempts, and close when those under way have ended.
   *
   * @param change - what leads to it from the list before, where that is known: the others are not looked at
   */
  update(instances: readonly Instance[], change?: SnapshotChange): void {
    if (this.#closed) return;
    this.#updating = true;
    // A subset may change by others than those that the list changes by.
    const gone = Number.isFinite(this.#subsetSize)
      ? this.#updateSubset(instances)
      : this.#updateAll(instances, change);
    for (const member of gone) this.#end(member);
    this.#rotation.recount();
    this.#updating = false;
    // Also when nothing can be picked: whoever waits must hear that there is nothing to wait for.
    this.#wake();
  }

  /**
   * Chooses an instance for one attempt, one that is not excluded if there is one; {@link ended} is to be told of each.
   *
   * @returns undefined when none is usable
   */
  pick(excluded?: ReadonlySet<string>): PoolMember | undefined {
    this.#pace.called(this.#line);
    const member = this.#rotation.pick(excluded);
    if (member === undefined) return undefined;
    member.began();
    if (!member.listened && member.health !== undefined) this.#silence.listen(member);
    return member;
  }

  /**
   * Tells how the attempt on a picked instance ended, or that none could be made; once for every pick.
   *
   * @param durationMs - of the attempt; NaN where that says nothing of how fast the instance is, as with streams of answers
   */
  ended(member: PoolMember, end: AttemptEnd, durationMs: number): void {
    this.#pace.called(this.#line);
    member.ended(end.reason === undefined || end.remote);
    this.#rotation.ended(member, end, durationMs);
  }

  /** Whether a usable instance is not among these. */
  hasOther(tried: ReadonlySet<string>): boolean {
    let others = this.#rotation.size;
    for (const key of tried) {
      const member = this.#members.get(key);
      if (member?.usable === true && member.weighted) others--;
    }
    return others > 0;
  }

  /** Calls back once when an instance may have become usable or the list has changed; until taken back. */
  wait(changed: () => void): () => void {
    const first = this.#waiting.size === 0;
    this.#waiting.add(changed);
    this.#pace.called(this.#line);
    // Those whose turn has come stand in the line: nothing keeps them apart now.
    if (first) this.#line.advance();
    this.#pace.hurry(first);
    return () => {
      this.#waiting.delete(changed);
    };
  }

  /** Closes every connection when the attempts on it have ended. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#rotation.close();
    this.#silence.close();
    this.#idle.stop();
    this.#line.close();
    const members = [...this.#members.values()];
    this.#members.clear();
    this.#connected.clear();
    this.#weighted = 0;
    for (const member of members) member.close();
    this.#lines.close();
  }

  /** @returns who is gone, to be ended when the picker knows */
  #updateAll(
    instances: readonly Instance[],
    change: SnapshotChange | undefined,
  ): readonly PoolMember[] {
    const { changed, removed } = change ?? {
      changed: instances,
      removed: this.#goneFrom(instances),
    };
    const gone = this.#drop(removed);
    const joining: PoolMember[] = [];
    for (const instance of changed) this.#take(instance, instance.weight, joining);
    const entering = this.#join(joining);
    // Several that enter at once do so as a group, or their first calls would follow each other.
    const few = changed.length + removed.length <= FEW && entering <= 1;
    if (change !== undefined && few) this.#tell(changed, removed);
    else this.#rotation.tellAll(this.#members.values());
    return gone;
  }

  /** @returns who is gone, as above */
  #updateSubset(instances: readonly Instance[]): readonly PoolMember[] {
    const chosen = subsetOf(instances, this.#subsetSize, this.#subsetSeed);
    const gone = this.#drop(this.#goneFrom(chosen.map(({ instance }) => instance)));
    const joining: PoolMember[] = [];
    for (const { instance, weight } of chosen) this.#take(instance, weight, joining);
    this.#join(joining);
    this.#rotation.tellAll(this.#members.values());
    return gone;
  }

  #onUsable(member: PoolMember, usable: boolean): void {
    if (usable) this.#rotation.enter(member);
    else this.#rotation.note(member);
    this.#rotation.tell(member.key);
    this.#rotation.recount();
    if (usable) this.#wake();
  }

  #onConnected(member: PoolMember): void {
    if (member.connected) {
      this.#connected.add(member);
      this.#idle.begin();
      const underWay = member.inFlight > 0 && member.health !== undefined;
      if (underWay && !member.listened) this.#silence.listen(member);
    } else {
      this.#connected.delete(member);
      if (this.#connected.size === 0) this.#idle.stop();
    }
    this.#rotation.note(member);
  }

  #goneFrom(instances: readonly Instance[]): readonly string[] {
    if (this.#members.size === 0) return [];
    const listed = new Set<string>();
    for (const { key } of instances) listed.add(key);
    return [...this.#members.keys()].filter((key) => !listed.has(key));
  }

  /** Those who are listed no more: they are not looked for any longer, but live until they are ended. */
  #drop(keys: Iterable<string>): readonly PoolMember[] {
    const gone: PoolMember[] = [];
    for (const key of keys) {
      const member = this.#members.get(key);
      if (member === undefined) continue;
      this.#members.delete(key);
      if (member.weighted) this.#weighted--;
      member.left = true;
      this.#rotation.forget(member);
      this.#rotation.note(member);
      this.#silence.forget(member);
      gone.push(member);
    }
    return gone;
  }

  #end(member: PoolMember): void {
    member.close();
    this.#onConnected(member);
  }

  /** Takes an instance over; it joins when it had no share of traffic and now has one. */
  #take(instance: Instance, share: number, joining: PoolMember[]): void {
    const { key } = instance;
    const known = this.#members.get(key);
    const before = known?.weighted === true;
    const member = known ?? new PoolMember(instance, share, this.#memberPorts);
    if (known === undefined) this.#members.set(key, member);
    else known.replace(instance, share, this.#rotation.factorOf(key));
    if (before === share > 0) return;
    this.#weighted += share > 0 ? 1 : -1;
    if (share > 0) {
      joining.push(member);
      return;
    }
    this.#rotation.forget(member);
    member.back("ejected", false);
    this.#rotation.note(member);
  }

  /** Who joins while others serve proves itself first. @returns how many can be picked at once */
  #join(joining: readonly PoolMember[]): number {
    const proving = this.#rotation.serves;
    let entering = 0;
    for (const member of joining) {
      if (proving) member.prove();
      if (!member.usable) continue;
      this.#rotation.enter(member);
      entering++;
    }
    return entering;
  }

  /** One by one, as the list would be taken: first who leaves, then who stays and who enters. */
  #tell(changed: readonly Instance[], removed: readonly string[]): void {
    for (const key of removed) this.#rotation.tell(key);
    for (const { key, weight } of changed) if (weight === 0) this.#rotation.tell(key);
    for (const { key, weight } of changed) if (weight > 0) this.#rotation.tell(key);
  }

  #wake(): void {
    if (this.#updating) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const changed of waiting) changed();
  }
}

/** What a pool begins outlives the call that happens to need it first. */
function clockOutsideCalls(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    after: (ms, run, options) => runOutsideCalls(() => clock.after(ms, run, options)),
  };
}
