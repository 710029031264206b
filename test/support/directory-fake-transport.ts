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
  upstreamDifferenceToWire,
  upstreamListToWire,
  watchUpstreamsRpc,
} from "../../src/wire/upstream.js";

/** What a difference says besides the version that it leads on from; `instances` are those that are new or changed. */
export interface FakeDifference extends Partial<UpstreamList> {
  readonly removed?: readonly string[];
}

/** One watch that a source has opened. */
interface FakeWatch {
  /** `host:port` of the directory it was opened on. */
  readonly directory: string;
  readonly start: AttemptStart;
  /** The request, once it has been sent. */
  readonly asked: object | undefined;
  /** Whether it is still open on the reader's side. */
  readonly open: boolean;
  /** Sends a list. */
  send(list: Partial<UpstreamList>): void;
  /** Sends what leads from the list of that version to another one. */
  sendDifference(since: string, list: FakeDifference): void;
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
  asked: object | undefined;
  open = true;

  constructor(directory: string, start: AttemptStart, listener: AttemptListener) {
    this.directory = directory;
    this.start = start;
    this.#listener = listener;
  }

  send(list: Uint8Array | Partial<UpstreamList>): void {
    // Also the reader's own `send`, with the request.
    if (list instanceof Uint8Array) this.asked = watchUpstreamsRpc.decodeRequest(list);
    else this.#say(upstreamListToWire(fullList(list)));
  }

  sendDifference(since: string, { removed = [], ...list }: FakeDifference): void {
    const full = fullList(list);
    this.#say(upstreamDifferenceToWire(full, since, { changed: full.instances, removed }));
  }

  #say(message: ReturnType<typeof upstreamListToWire>): void {
    if (this.open) this.#listener.onMessage(watchUpstreamsRpc.encodeResponse(message));
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

function fullList(list: Partial<UpstreamList>): UpstreamList {
  return {
    service: "mnist",
    version: "1",
    instances: [],
    correlative: [],
    known: true,
    shares: new Map(),
    stale: false,
    settled: false,
    ...list,
  };
}
