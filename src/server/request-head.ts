import type { MetadataView } from "../core/metadata.js";

/** What is known of any request before its body is read: enough to let it in or not. */
export interface RequestHead {
  readonly kind: "rpc" | "http";
  /** HTTP verb; `POST` for RPCs. */
  readonly method: string;
  readonly path: string;
  /** Of a request over HTTP: path and query as received. */
  readonly target?: string;
  readonly metadata: MetadataView;
  /** `address:port` of the caller. */
  readonly peer: string;
}
