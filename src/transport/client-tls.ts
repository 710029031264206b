import { createSecureContext, type SecureContext } from "node:tls";
import { servingError } from "../core/serving-error.js";
import type { ClientTls } from "./transport.js";

/** Reading certificates costs milliseconds, and all transports of a channel share one object. */
const known = new WeakMap<ClientTls, SecureContext>();

/**
 * Reads certificates and keys, and makes sure that they can be used; the same context for the same object.
 *
 * @param option - the option's name, for the message
 * @returns undefined when there are none, so that the system's authorities are trusted
 * @throws ConfigError `INVALID_OPTION` when certificate and key do not make a pair, or are no PEM.
 */
export function secureContext(tls: ClientTls, option: string): SecureContext | undefined {
  const made = known.get(tls) ?? readContext(tls, option);
  if (made !== undefined) known.set(tls, made);
  return made;
}

function readContext({ ca, cert, key }: ClientTls, option: string): SecureContext | undefined {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw servingError(
      "INVALID_OPTION",
      `${option}.${given} is given without ${option}.${missing}`,
    );
  }
  for (const [name, text] of Object.entries({ ca, cert, key })) {
    // Node takes anything for an authority and trusts nobody then; a path instead of its content is the usual mistake.
    if (text === undefined || pem(text).includes("-----BEGIN ")) continue;
    throw servingError("INVALID_OPTION", `${option}.${name} is no PEM, expected a file's content`);
  }
  if (ca === undefined && cert === undefined) return undefined;
  try {
    return createSecureContext({
      ca: ca === undefined ? undefined : pem(ca),
      cert: cert === undefined ? undefined : pem(cert),
      key: key === undefined ? undefined : pem(key),
    });
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${option}: ca, cert or key is no usable PEM`, { cause });
  }
}

function pem(text: string | Uint8Array): string {
  return typeof text === "string" ? text : Buffer.from(text).toString("latin1");
}
