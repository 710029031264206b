import { type ServingError, servingError } from "../core/serving-error.js";

/**
 * What is wrong with the service that a caller names.
 *
 * @param own - the host's; empty when it has none, and takes any name
 * @returns HostError `UNKNOWN_SERVICE`; undefined when it is the host's, or the caller names none
 */
export function wrongService(asked: string, own: string): ServingError | undefined {
  if (asked === "" || own === "" || asked === own) return undefined;
  const name = JSON.stringify(asked.slice(0, 80));
  return servingError("UNKNOWN_SERVICE", `no service ${name} is hosted here, expected "${own}"`);
}
