import type { ErrorKind } from "../core/error-catalog.js";
import { CallError, isServingError } from "../core/serving-error.js";

/** Exit code of every kind of error; all of a kind's reasons are in docs/errors.md. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
  config: 2,
  discovery: 3,
  call: 4,
  processor: 5,
  host: 6,
};

/** Exit code of what nobody foresaw. */
export const UNFORESEEN = 1;

/** What the help says of exit codes. */
export const exitCodeTexts: readonly (readonly [code: number, meaning: string])[] = [
  [0, "done"],
  [UNFORESEEN, "something that nobody foresaw; please report it"],
  [exitCodes.config, "an argument, flag, file or proto is wrong (ConfigError)"],
  [exitCodes.discovery, "no instances were found (DiscoveryError)"],
  [exitCodes.call, "a call failed (CallError)"],
  [exitCodes.processor, "the processor failed (ProcessorError)"],
  [exitCodes.host, "the host failed or refused (HostError)"],
];

/** The exit code of whatever was thrown. INTERNAL is a host's error when it came over the wire, else one that nobody foresaw. */
export function exitCodeOf(thrown: unknown): number {
  if (!isServingError(thrown)) return UNFORESEEN;
  const came = thrown instanceof CallError && thrown.remote;
  return thrown.reason === "INTERNAL" && !came ? UNFORESEEN : exitCodes[thrown.entry.kind];
}
