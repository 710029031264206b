import type { AmbientCall } from "../../core/ambient-call.js";
import { TRACEPARENT_KEY, TRACESTATE_KEY } from "../../core/trace-context.js";
import type { RequestHead } from "./call-start.js";

/** Hands the trace of the call that is being served on to a call made for it, unless the app has set one itself. */
export function handTraceOn({ trace }: AmbientCall, head: RequestHead): void {
  if (trace === undefined || head.has(TRACEPARENT_KEY)) return;
  head.set(TRACEPARENT_KEY, trace.traceparent);
  if (trace.tracestate !== undefined) head.set(TRACESTATE_KEY, trace.tracestate);
}
