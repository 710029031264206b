import { type MetadataView, metadataText } from "./metadata.js";

/** Metadata key and HTTP header of the trace that a call belongs to. */
export const TRACEPARENT_KEY = "traceparent";

/** Metadata key and HTTP header of what tracing systems add to {@link TRACEPARENT_KEY}. */
export const TRACESTATE_KEY = "tracestate";

/**
 * The trace that a call belongs to, as its caller sent it.
 *
 * Source: https://www.w3.org/TR/trace-context/
 */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** The caller's span: 16 lower-case hexadecimal digits, not all zero. */
  readonly parentId: string;
  /** Whether the caller records its span. */
  readonly sampled: boolean;
  /** The header as it came. */
  readonly traceparent: string;
  /** The header as it came; left out when there was none, or none that may be handed on. */
  readonly tracestate?: string;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED = 1;

/** Longest `tracestate` that is handed on, in characters; the standard asks for no less. */
const MAX_TRACESTATE = 512;
const TRACESTATE = /^[\x20-\x7e]+$/;

/** Reads the trace of a call; what is not valid is as if it were not there, as the standard wants. */
export function traceContextOf(metadata: MetadataView): TraceContext | undefined {
  const traceparent = metadataText(metadata, TRACEPARENT_KEY);
  if (traceparent === undefined) return undefined;
  const [, traceId, parentId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || parentId === undefined || flags === undefined) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  const tracestate = metadataText(metadata, TRACESTATE_KEY);
  return {
    traceId,
    parentId,
    sampled,
    traceparent,
    ...(tracestate !== undefined && isTracestate(tracestate) ? { tracestate } : {}),
  };
}

function isTracestate(text: string): boolean {
  return text.length <= MAX_TRACESTATE && TRACESTATE.test(text);
}
