import type { OutgoingHttpHeader } from "node:http";
import type { IncomingHttpHeaders } from "node:http2";
import { Metadata } from "@grpc/grpc-js";
import { type MetadataView, NativeMetadataView } from "../core/metadata.js";
import { servingError } from "../core/serving-error.js";

/**
 * Turns metadata into grpc-js's own; what came from grpc-js is handed on as it is, without a copy.
 *
 * @throws ConfigError `INVALID_OPTION` for a key or value that cannot be sent; the value is not shown, it may be a token.
 */
export function grpcMetadataFrom(view: MetadataView): Metadata {
  if (view instanceof NativeMetadataView && view.native instanceof Metadata) return view.native;
  const metadata = new Metadata();
  for (const [key, value] of view.entries()) {
    try {
      metadata.add(key, typeof value === "string" ? value : Buffer.from(value));
    } catch {
      // grpc-js's own message quotes the value.
      throw servingError(
        "INVALID_OPTION",
        `metadata "${key}" cannot be sent, expected a lower-case key and printable ASCII (bytes if it ends in -bin)`,
      );
    }
  }
  return metadata;
}

/** Views grpc-js's metadata as the kit's. */
export function grpcMetadataView(metadata: Metadata): NativeMetadataView<Metadata> {
  return new NativeMetadataView(metadata);
}

/** What arrives of metadata at the other end: a copy, several texts of a key in one, as HTTP/2 has them. */
export function sentMetadata(metadata: Metadata): NativeMetadataView<Metadata> {
  const arrived: IncomingHttpHeaders = {};
  for (const [key, value] of Object.entries(metadata.toHttp2Headers())) {
    arrived[key] = Array.isArray(value) && !key.endsWith("-bin") ? value.join(", ") : textOf(value);
  }
  return new NativeMetadataView(Metadata.fromHttp2Headers(arrived));
}

function textOf(value: OutgoingHttpHeader | undefined): string | string[] {
  return Array.isArray(value) ? value : String(value);
}
