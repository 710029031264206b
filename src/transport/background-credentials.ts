import { ChannelCredentials } from "@grpc/grpc-js";
import type { ConnectionHold } from "./connection-hold.js";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Credentials like others, on connections that keep the process alive only as their hold says.
 *
 * Credentials are the one public place that sees the socket of a connection before HTTP/2 takes it over. To be removed when
 * a call can be told not to reference it.
 */
export function backgroundCredentials(
  credentials: ChannelCredentials,
  hold: ConnectionHold,
): ChannelCredentials {
  return new BackgroundCredentials(credentials, hold);
}

class BackgroundCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #hold: ConnectionHold;

  constructor(inner: ChannelCredentials, hold: ConnectionHold) {
    super();
    this.#inner = inner;
    this.#hold = hold;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...args: Parameters<ChannelCredentials["_createSecureConnector"]>
  ): Connector {
    const inner = this.#inner._createSecureConnector(...args);
    const hold = this.#hold;
    return {
      async connect(socket) {
        const connected = await inner.connect(socket);
        hold.adopt(connected.socket);
        return connected;
      },
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}
