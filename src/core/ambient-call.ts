import type { TraceContext } from "./trace-context.js";

/** What calls made while a call is served take over from it. */
export interface AmbientCall {
  /** The trace of the call that is served; undefined when it has none. */
  readonly trace: TraceContext | undefined;
}

/** Keeps the call that is served for everything that runs on its behalf, promises and timers included. */
export interface AmbientHolder {
  /** Runs `work` on behalf of `call`. */
  run<T>(call: AmbientCall, work: () => T): T;
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
