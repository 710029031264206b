import { isLoopback } from "../core/endpoint.js";
import type { MetadataView } from "../core/metadata.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { RequestHead } from "./request-head.js";
import type { TokenGuard } from "./token-guard.js";

/** Headers by which a proxy tells that it speaks for somebody else. */
const forwardingHeaders = ["forwarded", "x-forwarded-for", "x-real-ip", "via"] as const;

function isForwarded(metadata: MetadataView): boolean {
  return forwardingHeaders.some((name) => metadata.get(name) !== undefined);
}

function peerHost(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/**
 * Decides who may change the state of a running server: whoever has the admin token, or, when none is set, whoever
 * calls from the same machine without a proxy in between. A browser page never may: it would act with the rights of
 * whoever opened it.
 */
export function adminRefusal(head: RequestHead, adminGuard: TokenGuard): ServingError | undefined {
  if (head.metadata.get("origin") !== undefined) {
    return servingError("FORBIDDEN", `${head.path} takes no requests from web pages`);
  }
  if (!adminGuard.open) {
    if (adminGuard.accepts(head.metadata.get("authorization"))) return undefined;
    return servingError("UNAUTHENTICATED", `${head.path} needs the admin token as authorization`);
  }
  if (isLoopback(peerHost(head.peer)) && !isForwarded(head.metadata)) return undefined;
  return servingError(
    "FORBIDDEN",
    `${head.path} is taken from this machine only, since the host has no admin token`,
  );
}
