import { isLoopback } from "../core/endpoint.js";
import type { MetadataView } from "../core/metadata.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { RequestHead } from "./request-head.js";
import type { TokenGuard } from "./token-guard.js";

/** Headers by which proxies tell that they speak for somebody else; whatever begins with `x-forwarded` does, too. */
const forwardingHeaders: ReadonlySet<string> = new Set([
  "cf-connecting-ip",
  "forwarded",
  "true-client-ip",
  "via",
  "x-client-ip",
  "x-envoy-external-address",
  "x-real-ip",
]);

function isForwarded(metadata: MetadataView): boolean {
  for (const [name] of metadata.entries()) {
    if (forwardingHeaders.has(name) || name.startsWith("x-forwarded")) return true;
  }
  return false;
}

/** Browsers leave `Origin` out of some requests, but say of each where it comes from. */
function isOfWebPage(metadata: MetadataView): boolean {
  if (metadata.get("origin") !== undefined) return true;
  const site = metadata.get("sec-fetch-site");
  return site !== undefined && site !== "none";
}

/** A page whose name was made to mean this machine comes from it, but asks for that name. */
function asksForThisMachine({ kind, metadata }: RequestHead): boolean {
  const host = metadata.get("host");
  if (kind === "rpc" || host === undefined) return true;
  const name = String(host)
    .replace(/:\d*$/, "")
    .replace(/^\[|\]$/g, "");
  return isLoopback(name);
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
  if (isOfWebPage(head.metadata)) {
    return servingError("FORBIDDEN", `${head.path} takes no requests from web pages`);
  }
  if (!adminGuard.open) {
    if (adminGuard.acceptsRequest(head)) return undefined;
    return servingError("UNAUTHENTICATED", `${head.path} needs the admin token as authorization`);
  }
  const local = isLoopback(peerHost(head.peer)) && asksForThisMachine(head);
  if (local && !isForwarded(head.metadata)) return undefined;
  return servingError(
    "FORBIDDEN",
    `${head.path} is taken from this machine only, since the host has no admin token`,
  );
}
