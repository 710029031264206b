import { bindEndpoint, type Endpoint } from "../core/endpoint.js";
import { checkLogger, fillOptions, seen } from "../core/options.js";
import type { Logger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { type ServerLimits, serverLimits } from "../server/limits.js";
import type { ServerTls } from "../server/port.js";
import { checkServerTls } from "../server/tls-options.js";
import { checkClientTls } from "../transport/client-tls.js";
import type { ClientTls } from "../transport/transport.js";
import type { StoreKind } from "./store-kind.js";
import { parseStore } from "./store-option.js";

/** Options of a directory. */
export interface DirectoryOptions {
  /**
   * Where it listens: `host:port`, `:port` for all addresses, `[v6]:port`; port 0 is any free one.
   *
   * @defaultValue "127.0.0.1:8100"
   */
  readonly endpoint?: string | undefined;
  /**
   * Where it keeps what it knows: `memory` is this process, which forgets everything when it ends; `file:PATH` a journal on disk,
   * for one process at a time, which keeps everything however the process ends; `etcd://host:port[,host:port]/PREFIX` keys below
   * `PREFIX/` in etcd, for any number of directories (a second slash begins the keys with a slash).
   *
   * @defaultValue "memory"
   */
  readonly store?: string | undefined;
  /**
   * TLS towards etcd: `{ ca?, cert?, key?, serverName? }`, PEM; `{}` trusts the system's authorities. Only with a store in etcd.
   *
   * @defaultValue undefined, which is no TLS
   */
  readonly storeTls?: ClientTls | undefined;
  /**
   * Guards writing (registrations, weights, traffic): a text, or several of which any will do. Without it anybody who
   * reaches the port may register, and so collect the calls and tokens of clients.
   *
   * @defaultValue undefined, which is open
   */
  readonly token?: string | readonly string[] | undefined;
  /**
   * Guards reading as well; `token` also opens it. EAS SDKs send no token when they read.
   *
   * @defaultValue undefined, which is open
   */
  readonly readToken?: string | readonly string[] | undefined;
  /**
   * Publishes weights over their greatest common divisor (2 and 1, not 100 and 50) in the JSON for EAS clients: the Go
   * SDK sends runs of calls as long as the weights are apart.
   *
   * @defaultValue false
   */
  readonly reduceWeights?: boolean | undefined;
  /**
   * Certificate and key of the port.
   *
   * @defaultValue undefined, which is no TLS
   */
  readonly tls?: ServerTls | undefined;
  /** Limits of the port. */
  readonly limits?:
    | { readonly [K in keyof ServerLimits]?: ServerLimits[K] | undefined }
    | undefined;
  /**
   * Told of every registration, expiry and change of weight.
   *
   * @defaultValue pino: text lines on a terminal, JSON otherwise
   */
  readonly logger?: Logger | undefined;
}

/** Options of a directory, filled and checked. */
export interface ResolvedDirectoryOptions {
  readonly endpoint: Endpoint;
  readonly store: StoreKind;
  readonly storeTls: ClientTls | undefined;
  readonly token: string | readonly string[] | undefined;
  readonly readToken: string | readonly string[] | undefined;
  readonly reduceWeights: boolean;
  readonly tls: ServerTls | undefined;
  readonly limits: ServerLimits;
  readonly logger: Logger | undefined;
}

/** What holds where nothing is said. */
export const directoryDefaults: Required<DirectoryOptions> = Object.freeze({
  endpoint: "127.0.0.1:8100",
  store: "memory",
  storeTls: undefined,
  token: undefined,
  readToken: undefined,
  reduceWeights: false,
  tls: undefined,
  limits: undefined,
  logger: undefined,
});

/**
 * Fills and checks the options of a directory.
 *
 * @throws ConfigError `UNKNOWN_OPTION` or `INVALID_OPTION`.
 */
export function resolveDirectoryOptions(given?: DirectoryOptions): ResolvedDirectoryOptions {
  const filled = fillOptions(given, directoryDefaults, "directory");
  const store = parseStore(filled.store ?? "");
  const storeTls = checkClientTls(filled.storeTls, "storeTls");
  if (storeTls !== undefined && store.kind !== "etcd") {
    throw servingError(
      "INVALID_OPTION",
      `storeTls is given and store is ${seen(filled.store)}, expected it with a store in etcd only`,
    );
  }
  const { token, readToken, reduceWeights, tls, limits, logger } = filled;
  if (typeof reduceWeights !== "boolean") {
    throw servingError(
      "INVALID_OPTION",
      `reduceWeights is ${seen(reduceWeights)}, expected true or false`,
    );
  }
  if (readToken !== undefined && token === undefined) {
    throw servingError(
      "INVALID_OPTION",
      "readToken is set and token is not, expected both: otherwise anybody may write what few may read",
    );
  }
  return Object.freeze({
    endpoint: bindEndpoint(filled.endpoint ?? "", "endpoint"),
    store,
    storeTls,
    token,
    readToken,
    reduceWeights,
    tls: checkServerTls(tls, "tls"),
    limits: serverLimits(limits),
    logger: checkLogger(logger, "logger"),
  });
}
