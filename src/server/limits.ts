import { checkNumber, fillOptions } from "../core/options.js";
import { LONGEST_TIMER_MS } from "../core/ports.js";

/** What a port takes from its callers at most; every limit holds on gRPC and on HTTP alike where both have it. */
export interface ServerLimits {
  /** Largest message or body, after decompression, both ways, in bytes; 1 to 2^31 - 1. */
  readonly maxMessageBytes: number;
  /** Largest body of a call in JSON (Connect), in bytes, as far as `maxMessageBytes` goes; 1 to 2^31 - 1. */
  readonly maxJsonBytes: number;
  /** All headers of a request together, names and values, in bytes; 1,024 to 65,536 (HTTP/2's own bound in Node). */
  readonly maxHeaderBytes: number;
  /** Headers of a request; 10 to 120 (HTTP/2's own bound in Node is 128 with its pseudo-headers). */
  readonly maxHeaderCount: number;
  /** Calls in progress on one HTTP/2 connection; 1 to 1,000,000. */
  readonly maxConcurrentStreams: number;
  /** Memory that one HTTP/2 connection may hold in unsent and unread frames, in bytes; 1 MiB upwards. */
  readonly maxSessionBytes: number;
  /** Open connections; 1 to 1,000,000. Further ones are closed at once. */
  readonly maxConnections: number;
  /** Bytes of HTTP bodies that are being received, on all connections together; 1 upwards. */
  readonly maxReceivingBytes: number;
  /** From the connection to its first byte, TLS handshake included, in milliseconds. */
  readonly firstByteTimeoutMs: number;
  /** From the first byte of a request to the end of its headers (HTTP/1.1), in milliseconds. */
  readonly headersTimeoutMs: number;
  /** From the start of a request to the end of its body or single message, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** How long a connection without a call in progress is kept, and one that takes nothing of its answer, in milliseconds. */
  readonly idleTimeoutMs: number;
}

const MiB = 1024 * 1024;

/** Limits of a port that is given none. */
export const serverLimitDefaults: ServerLimits = Object.freeze({
  maxMessageBytes: 64 * MiB,
  maxJsonBytes: MiB,
  maxHeaderBytes: 16 * 1024,
  maxHeaderCount: 100,
  maxConcurrentStreams: 1_000,
  maxSessionBytes: 256 * MiB,
  maxConnections: 10_000,
  maxReceivingBytes: 512 * MiB,
  firstByteTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 60_000,
  idleTimeoutMs: 300_000,
});

/**
 * Fills and checks limits.
 *
 * @param where - Path of the options object, for messages.
 * @throws ConfigError `UNKNOWN_OPTION` or `INVALID_OPTION`.
 */
export function serverLimits(
  given?: { readonly [K in keyof ServerLimits]?: ServerLimits[K] | undefined },
  where = "limits",
): ServerLimits {
  const limits = fillOptions(given, serverLimitDefaults, where);
  const check = (key: keyof ServerLimits, min: number, max: number): void => {
    checkNumber(limits[key], `${where}.${key}`, { min, max });
  };
  check("maxMessageBytes", 1, 2 ** 31 - 1);
  check("maxJsonBytes", 1, 2 ** 31 - 1);
  check("maxHeaderBytes", 1_024, 65_536);
  check("maxHeaderCount", 10, 120);
  check("maxConcurrentStreams", 1, 1_000_000);
  check("maxSessionBytes", MiB, Number.MAX_SAFE_INTEGER);
  check("maxConnections", 1, 1_000_000);
  check("maxReceivingBytes", 1, Number.MAX_SAFE_INTEGER);
  check("firstByteTimeoutMs", 1, LONGEST_TIMER_MS);
  check("headersTimeoutMs", 1, LONGEST_TIMER_MS);
  check("bodyTimeoutMs", 1, LONGEST_TIMER_MS);
  check("idleTimeoutMs", 1, LONGEST_TIMER_MS);
  return Object.freeze(limits);
}
