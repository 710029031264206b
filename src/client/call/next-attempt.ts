import { localEnd } from "../../transport/local-end.js";
import type { AttemptEnd } from "../../transport/transport.js";
import type { ChannelCore } from "../channel-core.js";
import type { AskToken } from "./call-token.js";
import { noInstanceEnd, unreachableEnd } from "./local-ends.js";

/** Whose next attempt it is. */
export interface NextAttemptOwner {
  /** Milliseconds until the call's deadline. */
  readonly remainingMs: number;
  /** The way is free: an instance can be picked. */
  onWayFree(): void;
  /** It may be time for one more attempt beside those under way. */
  onHedgeDue(): void;
  /** There is no next attempt. */
  onNoWay(end: AttemptEnd, cause: unknown): void;
  /** The first list has come. */
  onFirstList(): void;
}

/**
 * What the next attempt of a call still waits for, one thing at a time: its time, the first list, a token, an instance. A
 * call that waits keeps the process alive.
 */
export class NextAttempt {
  readonly #core: ChannelCore;
  readonly #owner: NextAttemptOwner;
  readonly #askToken: AskToken | undefined;
  #stopWaiting: (() => void) | undefined;
  #coming = false;

  /** @param askToken - asked before each attempt */
  constructor(core: ChannelCore, owner: NextAttemptOwner, askToken: AskToken | undefined) {
    this.#core = core;
    this.#owner = owner;
    this.#askToken = askToken;
  }

  /** Whether there is going to be one, if nothing goes wrong; a hedge that may be due later is none. */
  get coming(): boolean {
    return this.#coming;
  }

  /** Goes as soon as list and token are there. */
  go(): void {
    this.stop();
    this.#coming = true;
    if (this.#core.list.snapshot === undefined) this.#waitForList();
    else if (this.#askToken === undefined) this.#free();
    else this.#waitForToken(this.#askToken);
  }

  /** Goes after so many milliseconds. */
  goAfter(ms: number): void {
    this.#wait(ms, () => this.go());
    this.#coming = true;
  }

  /** Asks after so many milliseconds whether to go; a later call counts. */
  hedgeAfter(ms: number): void {
    this.#wait(ms, () => this.#owner.onHedgeDue());
  }

  /** Goes when an instance can be picked, if that is soon; `last` is how the latest attempt ended. */
  goWithInstance(last: AttemptEnd | undefined): void {
    const { pool, policy } = this.#core;
    if (!pool.hasWeighted) {
      this.#fail(noInstanceEnd(this.#core), undefined);
      return;
    }
    const limitMs = Math.min(policy.pool.connectTimeoutMs, this.#owner.remainingMs);
    const expired = (): void => this.#fail(unreachableEnd(this.#core, limitMs, last), undefined);
    this.#wait(limitMs, expired, (wake) => pool.wait(wake));
    this.#coming = true;
  }

  /** Waits no longer; there is no next attempt. */
  stop(): void {
    this.#coming = false;
    const stop = this.#stopWaiting;
    this.#stopWaiting = undefined;
    stop?.();
  }

  #waitForList(): void {
    const { list, policy } = this.#core;
    const limitMs = Math.min(policy.firstListTimeoutMs, this.#owner.remainingMs);
    const expired = (): void => {
      const error = this.#core.listError(limitMs);
      this.#fail(localEnd(error.reason, error.message), error);
    };
    const woken = (): void => {
      this.#owner.onFirstList();
      this.go();
    };
    this.#wait(limitMs, expired, (wake) => list.onFirst(wake), woken);
    this.#coming = true;
  }

  #waitForToken(askToken: AskToken): void {
    const late = localEnd("DEADLINE_EXCEEDED", "the token function did not answer in time");
    const bad = localEnd("UNAUTHENTICATED", "the token function failed or gave no usable text");
    const wait = this.#wait(this.#owner.remainingMs, () => this.#fail(late, undefined));
    this.#coming = true;
    askToken().then(
      () => {
        if (this.#stopWaiting === wait) this.#free();
      },
      (cause: unknown) => {
        if (this.#stopWaiting === wait) this.#fail(bad, cause);
      },
    );
  }

  #free(): void {
    this.stop();
    this.#owner.onWayFree();
  }

  #fail(end: AttemptEnd, cause: unknown): void {
    this.stop();
    this.#owner.onNoWay(end, cause);
  }

  /**
   * Waits until `expired` or, if `subscribe` hands out a wake-up, `woken` is called; only one of them, once.
   *
   * @returns what ends this very wait
   */
  #wait(
    ms: number,
    expired: () => void,
    subscribe?: (wake: () => void) => () => void,
    woken: () => void = () => this.#free(),
  ): () => void {
    this.stop();
    const stopTimer = this.#core.clock.after(ms, () => {
      this.stop();
      expired();
    });
    const unsubscribe = subscribe?.(() => {
      this.stop();
      woken();
    });
    const stop = (): void => {
      stopTimer();
      unsubscribe?.();
    };
    this.#stopWaiting = stop;
    return stop;
  }
}
