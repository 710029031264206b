import type { CancelTimer, Clock } from "../../core/ports.js";
import type { TransportHealth } from "../../transport/transport.js";
import type { PoolMember } from "./pool-member.js";

/** What a {@link SilenceWatch} needs from outside. */
export interface SilencePorts {
  readonly clock: Clock;
  /** Runs when what had arrived by now has been read. */
  readonly afterReads: (run: () => void) => void;
  /**
   * Told after each question that was not answered, and when whoever was silent has given a sign of life.
   *
   * @returns whether the instance is out of rotation for its silence
   */
  readonly onSilence: (member: PoolMember, silent: boolean) => boolean;
}

/** Time between two looks, in milliseconds. */
const LOOK_MS = 250;

/** An instance of which nothing is heard for so long is asked for a sign of life, in milliseconds; seen a look later at most. */
const QUIET_MS = 750;

/** One whose answers take long as a rule may be busy with one: it is asked when so many times as long has passed. */
const QUIET_TIMES = 2;

/** Each answered question doubles the time to the next one, up to this, in milliseconds. */
const LONGEST_BETWEEN_MS = 60_000;

/** So many looks lie between two questions to an instance that is silent: a second. */
const SILENT_LOOKS = 4;

/** How long an instance has for a sign of life, in milliseconds. */
const PING_MS = 750;

/** Where the connection took long to come up, an answer does too: it has so many times as long. */
const PING_TIMES = 4;

/** A look or an end of a question that comes so much later than it should says that this process was held up. */
const HELD_UP_MS = 100;

/** A connection that is silent for so long is given up for a new one, in milliseconds. */
const WEDGED_MS = 10_000;

/** What is known of a member that is listened to. */
interface Listened {
  /** Looks until it is asked, unless something is heard of it before. */
  looksLeft: number;
  /** Questions that were answered since an attempt ended. */
  answered: number;
  /** What had come over this connection at the last look. */
  health: TransportHealth | undefined;
  bytes: number;
  /** The question that is under way. */
  asked: Question | undefined;
  /** Since when it is out because its connection gives no answer. */
  sinceMs: number | undefined;
  silent: boolean;
}

interface Question {
  readonly health: TransportHealth;
  /** This process was held up meanwhile: no answer says nothing. */
  void: boolean;
}

/**
 * Listens to instances with attempts under way: one of which nothing is heard is asked for a sign of life, and one that gives
 * none is silent, until it does. An end of an attempt is a sign of life, and so are bytes. So one that hangs, or whose network
 * drops everything, is noticed within 1,750 ms, unless its answers or its connection take long as a rule.
 *
 * Time is counted in looks, so that what this process did not get to read while it was busy is not held against others. There
 * is one timer for all, and none while nothing is under way.
 */
export class SilenceWatch {
  readonly #ports: SilencePorts;
  readonly #listened = new Map<PoolMember, Listened>();
  #stopTimer: CancelTimer | undefined;
  #lookDueMs = 0;

  constructor(ports: SilencePorts) {
    this.#ports = ports;
  }

  /** An attempt begins, or its connection is up, and it can be asked. */
  listen(member: PoolMember): void {
    member.listened = true;
    const { health } = member;
    const state: Listened = {
      looksLeft: 0,
      answered: 0,
      health,
      bytes: health?.bytesRead?.() ?? 0,
      asked: undefined,
      sinceMs: undefined,
      silent: false,
    };
    // The next look may come at once: it does not count.
    state.looksLeft = quietLooks(member, state) + (this.#stopTimer === undefined ? 0 : 1);
    this.#listened.set(member, state);
    if (this.#stopTimer === undefined) this.#lookLater();
  }

  /** It is listed no more, or its connection is closed because nobody uses it. */
  forget(member: PoolMember): void {
    if (!member.listened) return;
    member.listened = false;
    this.#listened.delete(member);
    if (this.#listened.size === 0) this.close();
  }

  /** Stops listening to all. */
  close(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#listened.clear();
  }

  #lookLater(): void {
    const { clock } = this.#ports;
    this.#lookDueMs = clock.now() + LOOK_MS;
    this.#stopTimer = clock.after(LOOK_MS, () => this.#look(), { background: true });
  }

  #look(): void {
    this.#stopTimer = undefined;
    const heldUp = this.#ports.clock.now() - this.#lookDueMs > HELD_UP_MS;
    for (const [member, state] of this.#listened) {
      if (heldUp && state.asked !== undefined) state.asked.void = true;
      this.#lookAt(member, state);
    }
    if (this.#listened.size > 0 && this.#stopTimer === undefined) this.#lookLater();
  }

  #lookAt(member: PoolMember, state: Listened): void {
    if (this.#takeLife(member, state)) return;
    const { health } = member;
    if (health === undefined) {
      // Nothing can come: whoever waits for a connection is the pool's business. One that is silent is asked on the next.
      state.sinceMs = undefined;
      state.asked = undefined;
      state.looksLeft = 1;
      if (!state.silent) this.forget(member);
      return;
    }
    state.looksLeft--;
    if (state.asked === undefined && state.looksLeft <= 0) this.#ask(member, state, health);
  }

  /** Whether there has been a sign of life since the last look. */
  #takeLife(member: PoolMember, state: Listened): boolean {
    const ended = member.takeHeard();
    const grown = hasGrown(member, state);
    if (ended) state.answered = 0;
    if (ended || grown) this.#heard(member, state);
    return ended || grown;
  }

  #ask(member: PoolMember, state: Listened, health: TransportHealth): void {
    const { clock, afterReads } = this.#ports;
    const asked: Question = { health, void: false };
    const timeoutMs = Math.max(PING_MS, PING_TIMES * member.openedInMs);
    const lateMs = clock.now() + timeoutMs + HELD_UP_MS;
    const holds = (): boolean => state.asked === asked && this.#listened.get(member) === state;
    state.asked = asked;
    state.looksLeft = SILENT_LOOKS;
    health.ping(timeoutMs, (alive) => {
      if (!holds()) return;
      if (alive) {
        state.answered = state.silent ? 0 : state.answered + 1;
        this.#heard(member, state);
        return;
      }
      if (clock.now() > lateMs) asked.void = true;
      // Timers come before what has arrived: the answer may wait to be read.
      afterReads(() => {
        if (holds()) this.#unanswered(member, state, asked);
      });
    });
  }

  #heard(member: PoolMember, state: Listened): void {
    const wasSilent = state.silent;
    state.silent = false;
    state.sinceMs = undefined;
    state.asked = undefined;
    state.looksLeft = quietLooks(member, state);
    if (member.inFlight === 0) this.forget(member);
    if (wasSilent) this.#ports.onSilence(member, false);
  }

  #unanswered(member: PoolMember, state: Listened, asked: Question): void {
    state.asked = undefined;
    if (this.#takeLife(member, state)) return;
    if (asked.void || member.health !== asked.health) state.looksLeft = 1;
    else this.#silent(member, state);
  }

  #silent(member: PoolMember, state: Listened): void {
    const now = this.#ports.clock.now();
    state.silent = true;
    // Who serves all the same, as the only one does, keeps what it has: its answer may be under way.
    const isOut = this.#ports.onSilence(member, true);
    if (!isOut) {
      state.sinceMs = undefined;
      return;
    }
    state.sinceMs ??= now;
    if (now - state.sinceMs < WEDGED_MS) return;
    // The next connection is asked as soon as it is there.
    state.looksLeft = 1;
    state.sinceMs = undefined;
    member.renew();
  }
}

/** How many looks without a sign of life are a silence. */
function quietLooks(member: PoolMember, { answered }: Listened): number {
  const shortestMs = Math.max(QUIET_MS, QUIET_TIMES * member.longestMs);
  const ms = Math.max(shortestMs, Math.min(shortestMs * 2 ** answered, LONGEST_BETWEEN_MS));
  return Math.ceil(ms / LOOK_MS);
}

/** Whether bytes have come over the connection since this was asked last; of a new one nothing is known yet. */
function hasGrown({ health }: PoolMember, state: Listened): boolean {
  const bytes = health?.bytesRead?.() ?? 0;
  const grown = health !== undefined && health === state.health && bytes > state.bytes;
  state.health = health;
  state.bytes = bytes;
  return grown;
}
