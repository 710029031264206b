import type { TraceContext } from "./trace-context.js";

/** What calls made while a call is served take over from it. */
export interface AmbientCall {
  /** The trace of the call that is served; undefined when it has none. */
  readonly trace: TraceContext | undefined;
  /**
   * Time that is left to that call, in milliseconds; 0 when it is over, Infinity without a limit, and once it has been answered
   * or its code has settled: what still runs on its behalf then is late for nobody.
   */
  remainingMs(): number;
  /**
   * Aborted when that call is given up: its caller has gone, its time is over, or the host stops; never by its answer. Made when
   * it is first asked for. Undefined once the call is over and its code has settled: what still runs on its behalf then, such
   * as a loop that it was the first to need, does not end with it.
   */
  readonly signal: AbortSignal | undefined;
}

/**
 * Stands for the call that is served with whatever runs on its behalf. Timers and connections that are made meanwhile keep
 * it for as long as they live, so it lets go of the call, and its payload, when that is over.
 */
export class AmbientCell implements AmbientCall {
  #call: AmbientCall | undefined;
  #trace: TraceContext | undefined;

  constructor(call: AmbientCall) {
    this.#call = call;
  }

  get trace(): TraceContext | undefined {
    return this.#call === undefined ? this.#trace : this.#call.trace;
  }

  remainingMs(): number {
    return this.#call === undefined ? Number.POSITIVE_INFINITY : this.#call.remainingMs();
  }

  get signal(): AbortSignal | undefined {
    return this.#call?.signal;
  }

  /** The call is over and its code has settled: only its trace is handed on from now on. */
  cut(): void {
    if (this.#call === undefined) return;
    this.#trace = this.#call.trace;
    this.#call = undefined;
  }
}

/** Keeps the call that is served for everything that runs on its behalf, promises and timers included. */
export interface AmbientHolder {
  /** Runs `work` on behalf of `call`; of none when that is undefined. */
  run<T>(call: AmbientCall | undefined, work: () => T): T;
  /** The call on whose behalf this code runs, if there is one. */
  current(): AmbientCall | undefined;
}

let holder: AmbientHolder | undefined;

/**
 * Sets who keeps the call that is served; until then nobody does. A holder costs something for every promise of the
 * process (on Node 20), so it comes with what needs it: the first client.
 */
export function setAmbientHolder(next: AmbientHolder | undefined): void {
  holder = next;
}

/** Whether somebody keeps the call that is served. */
export function hasAmbientHolder(): boolean {
  return holder !== undefined;
}

/** The call on whose behalf this code runs, if there is one and somebody keeps it. */
export function ambientCall(): AmbientCall | undefined {
  return holder?.current();
}

/** Runs `work` on behalf of a call. */
export function runOnBehalfOf<T>(call: AmbientCall, work: () => T): T {
  return holder === undefined ? work() : holder.run(call, work);
}

/**
 * Runs work that is nobody's in particular, whoever happens to need it first: connections, timers and loops that are begun
 * in here outlive the call that is served, so they neither keep it nor act on its behalf.
 */
export function runOutsideCalls<T>(work: () => T): T {
  return holder === undefined ? work() : holder.run(undefined, work);
}
