import { createSecureContext } from "node:tls";
import { ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { servingError } from "../core/serving-error.js";
import type { ClientTls } from "./transport.js";

/** Reading certificates costs milliseconds, and all transports of a channel share one object. */
const known = new WeakMap<ClientTls, ChannelCredentials>();

/** Makes grpc-js's credentials; the same ones for the same object. */
export function grpcCredentials(tls: ClientTls | undefined): ChannelCredentials {
  return tls === undefined ? ChannelCredentials.createInsecure() : checkGrpcTls(tls, "tls");
}

/**
 * Makes sure that certificates and keys can be used.
 *
 * @param option - the option's name, for the message
 * @throws ConfigError `INVALID_OPTION` when certificate and key do not make a pair, or are no PEM.
 */
export function checkGrpcTls(tls: ClientTls, option: string): ChannelCredentials {
  const made = known.get(tls) ?? secureCredentials(tls, option);
  known.set(tls, made);
  return made;
}

function secureCredentials({ ca, cert, key }: ClientTls, option: string): ChannelCredentials {
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
  if (ca === undefined && cert === undefined) return ChannelCredentials.createSsl();
  try {
    const context = createSecureContext({
      ca: ca === undefined ? undefined : pem(ca),
      cert: cert === undefined ? undefined : pem(cert),
      key: key === undefined ? undefined : pem(key),
    });
    return ChannelCredentials.createFromSecureContext(context);
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${option}: ca, cert or key is no usable PEM`, { cause });
  }
}

function pem(text: string | Uint8Array): string {
  return typeof text === "string" ? text : Buffer.from(text).toString("latin1");
}

/** The channel options that go with a server name other than the instance's host. */
export function serverNameOptions(tls: ClientTls | undefined): ChannelOptions {
  const name = tls?.serverName;
  if (name === undefined) return {};
  return { "grpc.ssl_target_name_override": name, "grpc.default_authority": name };
}
