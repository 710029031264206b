import type { RpcHead } from "../../core/rpc-definition.js";
import { connectStream, connectUnary } from "./connect.js";
import { grpcWeb } from "./grpc-web.js";
import type { WebProtocol } from "./web-protocol.js";

/** Every content type that a method is called with over HTTP/1.1, in the order in which messages list them. */
const protocols: ReadonlyMap<string, WebProtocol> = new Map([
  ["application/grpc-web", grpcWeb("application/grpc-web+proto", "binary")],
  ["application/grpc-web+proto", grpcWeb("application/grpc-web+proto", "binary")],
  ["application/grpc-web-text", grpcWeb("application/grpc-web-text+proto", "text")],
  ["application/grpc-web-text+proto", grpcWeb("application/grpc-web-text+proto", "text")],
  ["application/proto", connectUnary("application/proto", false)],
  ["application/json", connectUnary("application/json", true)],
  ["application/connect+proto", connectStream("application/connect+proto", false)],
  ["application/connect+json", connectStream("application/connect+json", true)],
]);

/** What other doors take as well, so that the content type alone does not make a request a call of a method. */
const sharedTypes: ReadonlySet<string> = new Set(["application/proto", "application/json"]);

/** The protocol of a content type, whatever its parameters. */
export function webProtocolOf(contentType: string | undefined): WebProtocol | undefined {
  return protocols.get(mediaType(contentType));
}

/** Tells whether a content type is one of these protocols' and of nothing else. */
export function isWebOnly(contentType: string | undefined): boolean {
  const type = mediaType(contentType);
  return protocols.has(type) && !sharedTypes.has(type);
}

/** Tells whether a content type is gRPC's own, which needs HTTP/2. */
export function isPlainGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(\+|$)/.test(mediaType(contentType));
}

/** Tells whether a protocol carries calls of a method's kind. */
export function carriesKind(
  { carries }: Pick<WebProtocol, "carries">,
  { responseStream }: Pick<RpcHead, "responseStream">,
): boolean {
  return carries === "both" || (carries === "server streaming") === responseStream;
}

/** The content types that a method of a kind takes. */
export function webTypesFor(rpc: Pick<RpcHead, "responseStream">): readonly string[] {
  return [...protocols].flatMap(([type, protocol]) => (carriesKind(protocol, rpc) ? [type] : []));
}

function mediaType(contentType = ""): string {
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
