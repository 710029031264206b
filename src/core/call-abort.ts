import type { ServingError } from "./serving-error.js";

/**
 * Says that a call was given up, and why; the first abort counts.
 *
 * The AbortSignal that users see is made only when somebody asks for it: most calls end without, and making one costs
 * more than the rest of a small call's bookkeeping.
 */
export class CallAbort {
  #reason: ServingError | undefined;
  #controller: AbortController | undefined;
  #listeners: ((reason: ServingError) => void)[] | undefined;

  /** Why the call was given up, or undefined while it is wanted. */
  get reason(): ServingError | undefined {
    return this.#reason;
  }

  /** Aborted together with the call; its reason is the same error. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Gives the call up; later calls change nothing. */
  abort(reason: ServingError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener(reason);
  }

  /** Calls `listener` once when the call is given up; at once when it already is. Returns how to take it back. */
  onAbort(listener: (reason: ServingError) => void): () => void {
    if (this.#reason !== undefined) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners ??= [];
    this.#listeners.push(listener);
    return () => {
      const index = this.#listeners?.indexOf(listener) ?? -1;
      if (index >= 0) this.#listeners?.splice(index, 1);
    };
  }
}
