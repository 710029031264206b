import type { Endpoint } from "../core/endpoint.js";
import type { Clock, Logger, Random } from "../core/ports.js";
import type { ClientTls } from "../transport/transport.js";

/** Where a directory keeps what it knows, as its option `store` names it. */
export type StoreKind =
  | { readonly kind: "memory" }
  /** A journal; the path is absolute or relative to the working folder. */
  | { readonly kind: "file"; readonly path: string }
  /** Keys below `prefix`, which ends with `/`. */
  | { readonly kind: "etcd"; readonly members: readonly Endpoint[]; readonly prefix: string };

/** What a store is made of besides. */
export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** TLS towards etcd. */
  readonly tls: ClientTls | undefined;
  /** Aborted when nobody needs the store any more that is being opened. */
  readonly signal?: AbortSignal | undefined;
}
