import type { Invocation } from "../core/invocation.js";
import type { ServingError } from "../core/serving-error.js";
import type { Place } from "../lane/lane-pool.js";

/** A call that waits for a place; takes itself out of its line when it is let in or refused. */
export interface WaitingCall {
  readonly invocation: Invocation;
  /** What it holds while it waits. */
  readonly bytes: number;
  /** When it began to wait. */
  readonly sinceMs: number;
  letIn(place: Place): void;
  refuse(reason: ServingError): void;
  /** The line's own: who came before and after. */
  older: WaitingCall | undefined;
  younger: WaitingCall | undefined;
}

/**
 * Calls in order of arrival. Linked, because calls leave from both ends and, when they are given up, from anywhere; each
 * costs the same however many wait.
 */
export class WaitingLine {
  #oldest: WaitingCall | undefined;
  #youngest: WaitingCall | undefined;
  #length = 0;
  #bytes = 0;

  get oldest(): WaitingCall | undefined {
    return this.#oldest;
  }

  get youngest(): WaitingCall | undefined {
    return this.#youngest;
  }

  get length(): number {
    return this.#length;
  }

  /** What all of them hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A call that is in no line goes to the end of this one. */
  add(call: WaitingCall): void {
    call.older = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = call;
    else this.#youngest.younger = call;
    this.#youngest = call;
    this.#length++;
    this.#bytes += call.bytes;
  }

  /** A call that is in this line leaves it. */
  remove(call: WaitingCall): void {
    const { older, younger } = call;
    if (older === undefined) this.#oldest = younger;
    else older.younger = younger;
    if (younger === undefined) this.#youngest = older;
    else younger.older = older;
    call.older = undefined;
    call.younger = undefined;
    this.#length--;
    this.#bytes -= call.bytes;
  }
}
