import { servingError } from "../../core/serving-error.js";

const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const CONNECT_TIMEOUT = /^\d{1,10}$/;

/** Milliseconds of gRPC's units. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/**
 * Reads `grpc-timeout`: at most eight digits and a unit.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 * @returns milliseconds; Infinity for a call without one
 * @throws HostError `MALFORMED_REQUEST`.
 */
export function grpcTimeoutMs(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const [, digits, unit = ""] = GRPC_TIMEOUT.exec(text) ?? [];
  const ms = unitMs.get(unit);
  if (ms !== undefined) return Number(digits) * ms;
  throw malformed("grpc-timeout", text, "up to 8 digits and one of H, M, S, m, u, n");
}

/**
 * Reads `connect-timeout-ms`: at most ten digits.
 *
 * Source: https://connectrpc.com/docs/protocol#unary-request
 * @returns milliseconds; Infinity for a call without one
 * @throws HostError `MALFORMED_REQUEST`.
 */
export function connectTimeoutMs(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (CONNECT_TIMEOUT.test(text)) return Number(text);
  throw malformed("connect-timeout-ms", text, "up to 10 digits");
}

function malformed(header: string, text: string, expected: string): Error {
  const seen = JSON.stringify(text.slice(0, 40));
  return servingError("MALFORMED_REQUEST", `${header} is ${seen}, expected ${expected}`);
}
