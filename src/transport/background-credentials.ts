import type { Socket } from "node:net";
import { ChannelCredentials } from "@grpc/grpc-js";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Credentials like others, on connections that keep no process alive.
 *
 * grpc-js holds the process as long as a connection has a call, which is right for calls and wrong for a watch that
 * lasts as long as its client. Credentials are the one public place that sees the socket of a connection before HTTP/2
 * takes it over. To be removed when a channel option does the same.
 */
export function backgroundCredentials(credentials: ChannelCredentials): ChannelCredentials {
  return new BackgroundCredentials(credentials);
}

class BackgroundCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;

  constructor(inner: ChannelCredentials) {
    super();
    this.#inner = inner;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return other instanceof BackgroundCredentials && this.#inner._equals(other.#inner);
  }

  override _createSecureConnector(
    ...args: Parameters<ChannelCredentials["_createSecureConnector"]>
  ): Connector {
    const inner = this.#inner._createSecureConnector(...args);
    return {
      async connect(socket) {
        const connected = await inner.connect(socket);
        keepUnreferenced(connected.socket);
        return connected;
      },
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}

/** The session references its socket anew with every first call. */
function keepUnreferenced(socket: Socket): void {
  socket.unref();
  socket.ref = () => socket;
}
