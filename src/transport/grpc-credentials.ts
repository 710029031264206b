import { ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { secureContext } from "./client-tls.js";
import type { ClientTls } from "./transport.js";

/** Transports of one channel share credentials, as grpc-js wants it. */
const known = new WeakMap<ClientTls, ChannelCredentials>();

/**
 * Makes grpc-js's credentials; the same ones for the same object.
 *
 * @throws ConfigError `INVALID_OPTION` for TLS material that cannot be used.
 */
export function grpcCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const made = known.get(tls) ?? secureCredentials(tls);
  known.set(tls, made);
  return made;
}

function secureCredentials(tls: ClientTls): ChannelCredentials {
  const context = secureContext(tls, "tls");
  return context === undefined
    ? ChannelCredentials.createSsl()
    : ChannelCredentials.createFromSecureContext(context);
}

/** The channel options that go with a server name other than the instance's host. */
export function serverNameOptions(tls: ClientTls | undefined): ChannelOptions {
  const name = tls?.serverName;
  if (name === undefined) return {};
  return { "grpc.ssl_target_name_override": name, "grpc.default_authority": name };
}
