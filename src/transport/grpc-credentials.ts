import { ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { hasTlsFiles, secureContext } from "./client-tls.js";
import type { ClientTls } from "./transport.js";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

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
  return hasTlsFiles(tls) ? new FileCredentials(tls) : presentCredentials(tls);
}

function presentCredentials(tls: ClientTls): ChannelCredentials {
  const context = secureContext(tls, "tls");
  return context === undefined
    ? ChannelCredentials.createSsl()
    : ChannelCredentials.createFromSecureContext(context);
}

/** Credentials that are asked for anew by each connection. */
class FileCredentials extends ChannelCredentials {
  readonly #tls: ClientTls;

  constructor(tls: ClientTls) {
    super();
    this.#tls = tls;
    // What cannot be used is refused now, not by the first connection.
    presentCredentials(tls);
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...args: Parameters<ChannelCredentials["_createSecureConnector"]>
  ): Connector {
    const present = (): Connector => presentCredentials(this.#tls)._createSecureConnector(...args);
    const first = present();
    return {
      connect: (socket) => present().connect(socket),
      waitForReady: () => first.waitForReady(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => first.destroy(),
    };
  }
}

/** The channel options that go with a server name other than the instance's host. */
export function serverNameOptions(tls: ClientTls | undefined): ChannelOptions {
  const name = tls?.serverName;
  if (name === undefined) return {};
  return { "grpc.ssl_target_name_override": name, "grpc.default_authority": name };
}
