import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { fillOptions } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { ServerTls } from "./port.js";

type Pem = string | Uint8Array | undefined;

const bytes = (pem: Pem): string | Buffer | undefined =>
  pem === undefined || typeof pem === "string" ? pem : Buffer.from(pem);

/** Lets OpenSSL read the material, so that a wrong file is found before anything is opened. */
function tryMaterial(material: { ca?: Pem; cert?: Pem; key?: Pem }, option: string): void {
  try {
    const { ca, cert, key } = material;
    // OpenSSL takes authorities that are no certificates without a word.
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({ ca: bytes(ca), cert: bytes(cert), key: bytes(key) });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw servingError("INVALID_OPTION", `${option} cannot be used: ${text}`, { cause });
  }
}

/**
 * Checks the TLS of a port.
 *
 * @throws ConfigError `UNKNOWN_OPTION`, or `INVALID_OPTION` for what OpenSSL cannot read.
 */
export function checkServerTls(tls: ServerTls | undefined, option: string): ServerTls | undefined {
  if (tls === undefined) return undefined;
  const known: { cert: Pem; key: Pem; clientCa: Pem } = {
    cert: undefined,
    key: undefined,
    clientCa: undefined,
  };
  const { cert, key, clientCa } = fillOptions(tls, known, option);
  if (cert === undefined || key === undefined) {
    throw servingError("INVALID_OPTION", `${option} needs both cert and key, PEM`);
  }
  tryMaterial({ cert, key, ca: clientCa }, option);
  return { cert, key, clientCa };
}
