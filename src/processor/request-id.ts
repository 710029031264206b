import type { Invocation } from "../core/invocation.js";
import { metadataText } from "../core/metadata.js";

/** Metadata key and HTTP header by which a caller names a request. */
export const REQUEST_ID_KEY = "x-request-id";

const MAX_GIVEN = 128;

let lastRequestNumber = 0;
const made = new WeakMap<object, string>();

/**
 * The name of a request in log lines: the caller's `x-request-id`, else one made when it is first asked for. The same call
 * always has the same one, in its host and in its lane.
 */
export function requestIdOf(call: Pick<Invocation, "metadata" | "requestId">): string {
  if (call.requestId !== undefined) return call.requestId;
  const given = metadataText(call.metadata, REQUEST_ID_KEY);
  if (given !== undefined && given.length <= MAX_GIVEN) return given;
  let id = made.get(call);
  if (id === undefined) {
    lastRequestNumber++;
    id = `${process.pid.toString(36)}-${lastRequestNumber.toString(36)}`;
    made.set(call, id);
  }
  return id;
}
