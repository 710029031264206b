import type { Clock, Random } from "../../core/ports.js";
import type { ResolvedEjection } from "../pool-options.js";
import type { AttemptSign } from "./attempt-sign.js";
import { AttemptWindow } from "./attempt-window.js";
import { Conduct } from "./conduct.js";
import { UsualAnswerTime } from "./usual-answer-time.js";

/** Why an instance is out of rotation though it is listed and reachable. */
export type EjectionCause = "failures" | "failure-ratio" | "latency" | "silence";

/** What an {@link Ejection} needs from outside. */
export interface EjectionPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** How many instances can be picked now. */
  readonly inRotation: () => number;
  /** Whether it is listed with a weight above 0; asked when something is heard of it for the first time. */
  readonly isWeighted: (key: string) => boolean;
  /** The instance is out from now on, for so many milliseconds; until it gives a sign of life when that is Infinity. */
  readonly onOut: (key: string, cause: EjectionCause, forMs: number) => void;
  /** Its time is over, or it has given a sign of life. */
  readonly onBack: (key: string) => void;
}

/** A ratio of fewer attempts than this says nothing. */
const LEAST_ATTEMPTS = 20;

/** Where fewer answers than this would be in time anyway, their lack says nothing. */
const LEAST_EXPECTED = 4;

/** So large a part of the time out is drawn at random, either way, so that those that went together come back one by one. */
const JITTER = 0.1;

/**
 * Takes instances out of rotation by how attempts on them go, and lets them back: never more than `maxRatio` of those that are
 * in rotation or were taken out here, and never the last one that can be picked. Who cannot be reached, or says that it is not
 * serving, makes no room for that: otherwise half of a service would follow the half that is down.
 *
 * ```
 *           failures in a row, their ratio, slow answers
 *    in ───────────────────────────────────────────────────> out, timed ─────┐
 *    ^ └────────────── silent ──────────────> out, mute ──heard──┐           │ time over
 *    │                                                           v           v
 *    └────────────────── a good answer ──────────────────── on probation ────┘
 *                                              the first failure └──> out, timed, for longer
 * ```
 *
 * Each arrow to the right is taken only while fewer are out than may be; who may not go out stays in and is judged again by the
 * next attempt. When fewer may be out than are, those come back first that are out the longest. Who is out for a time and falls
 * silent comes back when it is heard and its time is over; for failures in a row silence is the explanation, so it comes back
 * when it is heard. What attempts on one that is out come to changes nothing: they were begun before.
 */
export class Ejection {
  readonly #settings: ResolvedEjection;
  readonly #ports: EjectionPorts;
  readonly #known = new Map<string, Conduct>();
  /** In order of going out. */
  readonly #out = new Map<string, Conduct>();
  readonly #all = new AttemptWindow();
  readonly #usual: UsualAnswerTime;
  readonly #byFailures: boolean;

  constructor(settings: ResolvedEjection, ports: EjectionPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#usual = new UsualAnswerTime(settings.slowerThan);
    this.#byFailures =
      Number.isFinite(settings.consecutiveFailures) || Number.isFinite(settings.failureRatio);
  }

  /** How many are out. */
  get out(): number {
    return this.#out.size;
  }

  /**
   * An attempt has ended.
   *
   * @param durationMs - of the attempt; NaN where that says nothing of how fast the instance is, as with streams of answers
   */
  ended(key: string, sign: AttemptSign, durationMs: number): void {
    if (sign === "none") return;
    const conduct = this.#known.get(key) ?? this.#meet(key);
    if (conduct === undefined || conduct.timed || conduct.mute) return;
    const now = this.#ports.clock.now();
    if (sign === "good" || sign === "given-up") this.#answered(conduct, sign, durationMs, now);
    else if (sign === "bad" || this.#isToBlame(conduct, durationMs, now)) {
      this.#failed(conduct, now);
    }
  }

  /** The instance gives no sign of life; out until {@link heard}, unless too many are out already. */
  silent(key: string): boolean {
    const conduct = this.#known.get(key) ?? this.#meet(key);
    if (conduct === undefined) return false;
    if (!conduct.timed && !conduct.mute) {
      if (!this.#hasRoom()) return false;
      this.#out.set(key, conduct);
      this.#ports.onOut(key, "silence", Number.POSITIVE_INFINITY);
    }
    conduct.mute = true;
    // Attempts failed because nothing came back, not for what the instance did.
    if (conduct.timed && conduct.forFailures) endTime(conduct);
    return true;
  }

  /** It has given a sign of life. */
  heard(key: string): void {
    const conduct = this.#known.get(key);
    if (conduct === undefined || !conduct.mute) return;
    conduct.mute = false;
    if (!conduct.timed) this.#takeBack(conduct);
  }

  /** It is listed no more, or has no weight. */
  forget(key: string): void {
    this.#known.get(key)?.stopTimer?.();
    this.#known.delete(key);
    this.#out.delete(key);
  }

  /** Others may have come or gone: when too many are out for those that are left, those come back that are out the longest. */
  recount(): void {
    for (const conduct of this.#out.values()) {
      if (this.#out.size <= this.#most()) return;
      this.#takeBack(conduct);
    }
  }

  /** Stops all timers. */
  close(): void {
    for (const { stopTimer } of this.#out.values()) stopTimer?.();
    this.#out.clear();
    this.#known.clear();
  }

  /** Who is not listed leaves nothing behind: attempts may end after their instance has left. */
  #meet(key: string): Conduct | undefined {
    if (!this.#ports.isWeighted(key)) return undefined;
    const conduct = new Conduct(key);
    this.#known.set(key, conduct);
    return conduct;
  }

  #answered(conduct: Conduct, sign: "good" | "given-up", durationMs: number, now: number): void {
    const { time } = conduct;
    if (sign === "good") {
      conduct.failures = 0;
      conduct.probation = false;
      conduct.window.note(now, "good");
      this.#all.note(now, "good");
      if (durationMs >= 0) time.note(now, durationMs);
    } else if (durationMs >= 0) {
      time.noteAtLeast(now, durationMs);
    }
    if (this.#usual.isTooSlow(time, this.#known, now)) this.#takeOut(conduct, "latency", now);
  }

  /**
   * Whether a missed deadline is the instance's fault: it had as long as it usually takes, and of its attempts less than half as
   * many are in time as of all together. When all are late there is too much to do, and to take some away would make that
   * worse.
   */
  #isToBlame({ window, time }: Conduct, durationMs: number, now: number): boolean {
    if (durationMs < time.usualMs) return false;
    window.note(now, "late");
    this.#all.note(now, "late");
    const { goods, lates } = this.#all;
    const expected = ((window.goods + window.lates) * goods) / (goods + lates);
    return expected >= LEAST_EXPECTED && window.goods < expected / 2;
  }

  #failed(conduct: Conduct, now: number): void {
    const { consecutiveFailures, failureRatio } = this.#settings;
    const { window } = conduct;
    conduct.failures++;
    window.note(now, "bad");
    const attempts = window.goods + window.bads;
    if (conduct.failures >= consecutiveFailures || (conduct.probation && this.#byFailures)) {
      this.#takeOut(conduct, "failures", now);
    } else if (attempts >= LEAST_ATTEMPTS && window.bads >= failureRatio * attempts) {
      this.#takeOut(conduct, "failure-ratio", now);
    }
  }

  #takeOut(conduct: Conduct, cause: EjectionCause, now: number): void {
    if (!this.#hasRoom()) return;
    const { key } = conduct;
    const { baseMs, maxMs } = this.#settings;
    // Each stretch of `baseMs` in rotation makes up for one time out of it.
    const madeUp = Math.floor((now - conduct.backMs) / baseMs);
    conduct.times = Math.max(0, conduct.times - madeUp) + 1;
    const drawn = 1 - JITTER + 2 * JITTER * this.#ports.random();
    const forMs = Math.min(maxMs, baseMs * conduct.times * drawn);
    conduct.timed = true;
    conduct.forFailures = cause === "failures";
    this.#out.set(key, conduct);
    if (Number.isFinite(forMs)) {
      conduct.stopTimer = this.#ports.clock.after(forMs, () => this.#timeOver(conduct), {
        background: true,
      });
    }
    this.#ports.onOut(key, cause, forMs);
  }

  #timeOver(conduct: Conduct): void {
    conduct.timed = false;
    if (!conduct.mute) this.#takeBack(conduct);
  }

  #takeBack(conduct: Conduct): void {
    endTime(conduct);
    conduct.mute = false;
    conduct.failures = 0;
    conduct.window.clear();
    conduct.time.clear();
    conduct.probation = true;
    conduct.backMs = this.#ports.clock.now();
    this.#out.delete(conduct.key);
    this.#ports.onBack(conduct.key);
  }

  #most(): number {
    const all = this.#ports.inRotation() + this.#out.size;
    return Math.min(Math.floor(this.#settings.maxRatio * all), all - 1);
  }

  #hasRoom(): boolean {
    return this.#out.size < this.#most();
  }
}

/** It is out for a time no longer. */
function endTime(conduct: Conduct): void {
  conduct.stopTimer?.();
  conduct.stopTimer = undefined;
  conduct.timed = false;
}
