import type { Endpoint } from "../core/endpoint.js";
import { addressText, instanceOf } from "../core/instance.js";
import { emptyMetadata, metadataOf } from "../core/metadata.js";
import type { CancelTimer } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { openServerStream, type ServerStream } from "../transport/server-stream.js";
import type { Transport, TransportFactory } from "../transport/transport.js";
import {
  type ReceivedUpstreamList,
  upstreamListFromWire,
  WATCH_SILENCE_MS,
  watchUpstreamsRpc,
} from "../wire/upstream.js";
import { currentToken, type SourceOptions } from "./source-options.js";

/** From opening the watch to its first list: a directory that cannot be reached must not hold up the next one. */
const FIRST_LIST_TIMEOUT_MS = 5_000;

/** What a watch is opened with. */
export interface DirectoryWatchOptions extends SourceOptions {
  readonly directory: Endpoint;
  readonly service: string;
  readonly connect: TransportFactory;
  onList(list: ReceivedUpstreamList): void;
  /** The watch is over; told once, unless it was closed. */
  onEnd(error: ServingError): void;
}

/** One watch on one directory, with a connection of its own. */
export interface DirectoryWatch {
  close(): void;
}

/** Opens a watch; it ends by itself when the directory ends it, cannot be reached, or falls silent. */
export function openDirectoryWatch(options: DirectoryWatchOptions): DirectoryWatch {
  return new OpenWatch(options);
}

class OpenWatch implements DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  readonly #address: string;
  #transport: Transport | undefined;
  #stream: ServerStream | undefined;
  #cancelTimer: CancelTimer = () => {};
  #over = false;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
    this.#address = addressText(options.directory.host, options.directory.port);
    this.#expectListWithin(FIRST_LIST_TIMEOUT_MS);
    this.#open().catch((thrown: unknown) => this.#end(ServingError.from(thrown)));
  }

  close(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#stream?.cancel();
    this.#transport?.close();
  }

  async #open(): Promise<void> {
    const { directory, service, connect } = this.#options;
    const token = await currentToken(this.#options, FIRST_LIST_TIMEOUT_MS);
    if (this.#over) return;
    const transport = connect(instanceOf(directory));
    this.#transport = transport;
    this.#stream = openServerStream(
      transport,
      watchUpstreamsRpc,
      { service },
      {
        metadata: token === undefined ? emptyMetadata : metadataOf({ authorization: token }),
        onMessage: (message) => {
          if (this.#over) return;
          this.#expectListWithin(WATCH_SILENCE_MS);
          this.#options.onList(upstreamListFromWire(message));
        },
        onEnd: (error) => {
          this.#end(error ?? servingError("DIRECTORY_FAILED", "ended the watch"));
        },
      },
    );
  }

  #expectListWithin(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(
      ms,
      () => this.#end(servingError("DIRECTORY_FAILED", `sent nothing for ${ms} ms`)),
      { background: true },
    );
  }

  #end(cause: ServingError): void {
    if (this.#over) return;
    this.close();
    const message = `directory ${this.#address}: ${cause.message}`;
    this.#options.onEnd(servingError("DIRECTORY_FAILED", message, { cause }));
  }
}
