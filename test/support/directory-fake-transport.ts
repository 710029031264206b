import type { Instance } from "../../src/core/instance.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import { Status } from "../../src/core/status.js";
import type {
  Attempt,
  AttemptEnd,
  AttemptListener,
  AttemptStart,
  Transport,
} from "../../src/transport/transport.js";
import {
  type UpstreamList,
  upstreamListToWire,
  watchUpstreamsRpc,
} from "../../src/wire/upstream.js";

/** One watch that a source has opened. */
interface FakeWatch {
  /** `host:port` of the directory it was opened on. */
  readonly directory: string;
  readonly start: AttemptStart;
  /** Whether it is still open on the reader's side. */
  readonly open: boolean;
  /** Sends a list. */
  send(list: Partial<UpstreamList>): void;
  /** Ends the stream from the directory's side. */
  end(end?: Partial<AttemptEnd>): void;
}

/** Directories without sockets: every connection succeeds, every watch waits for the test to say something. */
export interface FakeDirectories {
  readonly connect: (instance: Instance) => Transport;
  readonly watches: readonly FakeWatch[];
  /** The newest watch. */
  readonly last: FakeWatch | undefined;
  /** Transports that have not been closed. */
  readonly openTransports: number;
  /** While set, watches end with this at once. */
  refusal: Partial<AttemptEnd> | undefined;
}

const lost: AttemptEnd = {
  code: Status.UNAVAILABLE,
  message: "connection lost",
  trailers: emptyMetadata,
  reason: "CONNECTION_LOST",
  remote: false,
};

/** Makes the directories of one test. */
export function createFakeDirectories(): FakeDirectories {
  const watches: FakeWatch[] = [];
  let openTransports = 0;
  const directories = {
    watches,
    refusal: undefined as Partial<AttemptEnd> | undefined,
    get last() {
      return watches.at(-1);
    },
    get openTransports() {
      return openTransports;
    },
    connect(instance: Instance): Transport {
      openTransports += 1;
      let closed = false;
      return {
        instance,
        state: "ready",
        connect() {},
        onState: () => () => {},
        start(start, listener) {
          const watch = new Watch(instance.key, start, listener);
          watches.push(watch);
          const { refusal } = directories;
          if (refusal !== undefined) queueMicrotask(() => watch.end(refusal));
          return watch;
        },
        close() {
          if (!closed) openTransports -= 1;
          closed = true;
        },
      };
    },
  };
  return directories;
}

class Watch implements FakeWatch, Attempt {
  readonly directory: string;
  readonly start: AttemptStart;
  readonly #listener: AttemptListener;
  open = true;

  constructor(directory: string, start: AttemptStart, listener: AttemptListener) {
    this.directory = directory;
    this.start = start;
    this.#listener = listener;
  }

  send(list: Uint8Array | Partial<UpstreamList>): void {
    // Also the reader's own `send`, with the request: nothing to do about it.
    if (list instanceof Uint8Array || !this.open) return;
    const full = { service: "mnist", version: "1", instances: [], correlative: [], known: true };
    const message = upstreamListToWire({ ...full, ...list });
    this.#listener.onMessage(watchUpstreamsRpc.encodeResponse(message));
  }

  end(end: Partial<AttemptEnd> = {}): void {
    if (!this.open) return;
    this.open = false;
    this.#listener.onEnd({ ...lost, ...end });
  }

  halfClose(): void {}

  read(): void {}

  cancel(code: Status, message: string): void {
    this.end({ code, message, reason: "CANCELLED" });
  }
}
