import type { Invocation } from "../core/invocation.js";
import { metadataText } from "../core/metadata.js";

/** Metadata key and HTTP header by which a caller names a request. */
export const REQUEST_ID_KEY = "x-request-id";

const MAX_GIVEN = 128;

let lastRequestNumber = 0;

/**
 * The name of a request in log lines: the caller's `x-request-id`, else one made when it is first asked for. The same call
 * always has the same one, in its host and in its lane.
 */
export function requestIdOf(call: Pick<Invocation, "metadata" | "requestId">): string {
  call.requestId ??= givenId(call) ?? newId();
  return call.requestId;
}

function givenId({ metadata }: Pick<Invocation, "metadata">): string | undefined {
  const given = metadataText(metadata, REQUEST_ID_KEY);
  return given !== undefined && given.length <= MAX_GIVEN ? given : undefined;
}

function newId(): string {
  lastRequestNumber++;
  return `${process.pid.toString(36)}-${lastRequestNumber.toString(36)}`;
}
