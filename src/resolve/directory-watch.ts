import type { Endpoint } from "../core/endpoint.js";
import { addressText, instanceOf } from "../core/instance.js";
import { emptyMetadata, metadataOf } from "../core/metadata.js";
import { seen } from "../core/options.js";
import type { CancelTimer } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { openServerStream, type ServerStream } from "../transport/server-stream.js";
import type { Transport, TransportFactory } from "../transport/transport.js";
import {
  differenceRhythm,
  type ReceivedUpstreamList,
  upstreamListFromWire,
  type WatchRhythm,
  watchUpstreamsRpc,
  wholeListRhythm,
} from "../wire/upstream.js";
import { sourceFailure } from "./source-failure.js";
import { currentToken, type SourceOptions } from "./source-options.js";

/** From opening the watch to its first list: a directory that cannot be reached must not hold up the next one. */
const FIRST_LIST_TIMEOUT_MS = 5_000;

/** What a watch is opened with. */
export interface DirectoryWatchOptions extends SourceOptions {
  readonly directory: Endpoint;
  readonly service: string;
  readonly connect: TransportFactory;
  /** A whole list, or with a `baseVersion` what leads to it from the one before; differences follow one another. */
  onList(list: ReceivedUpstreamList): void;
  /** The directory has been silent for so long that its list can no longer be vouched for; the next list ends that. */
  onSilence(): void;
  /** The watch is over; told once, unless it was closed. */
  onEnd(error: ServingError): void;
}

/** One watch on one directory, with a connection of its own. */
export interface DirectoryWatch {
  close(): void;
}

/**
 * Opens a watch; it ends by itself when the directory ends it, cannot be reached, falls silent, or sends a difference that
 * cannot be taken: one from another list than the last, or one with an item that makes no sense. The whole list that the next watch
 * begins with says what holds.
 */
export function openDirectoryWatch(options: DirectoryWatchOptions): DirectoryWatch {
  return new OpenWatch(options);
}

class OpenWatch implements DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  readonly #address: string;
  #transport: Transport | undefined;
  #stream: ServerStream | undefined;
  /** Of the list that a difference may lead on from. */
  #version: string | undefined;
  #rhythm: WatchRhythm = wholeListRhythm;
  #cancelTimer: CancelTimer = () => {};
  #over = false;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
    this.#address = addressText(options.directory.host, options.directory.port);
    this.#endAfter(FIRST_LIST_TIMEOUT_MS);
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
      { service, differences: true },
      {
        metadata: token === undefined ? emptyMetadata : metadataOf({ authorization: token }),
        onMessage: (message) => {
          if (this.#over) return;
          this.#take(upstreamListFromWire(message));
        },
        onEnd: (error) => {
          this.#end(error ?? servingError("DIRECTORY_FAILED", "ended the watch"));
        },
      },
    );
  }

  #take(list: ReceivedUpstreamList): void {
    const { known, version, baseVersion, instances, rejected } = list;
    if (baseVersion !== undefined) this.#rhythm = differenceRhythm;
    this.#listen();
    const problem = baseVersion === undefined ? undefined : differenceProblem(list, this.#version);
    if (problem !== undefined) {
      this.#end(servingError("UPSTREAM_MALFORMED", problem));
      return;
    }
    // What nobody can hold for the list is nothing to lead on from either.
    const taken = known && (instances.length > 0 || rejected === 0);
    this.#version = taken ? version : undefined;
    this.#options.onList(list);
  }

  /** Hears of the silence from now on. */
  #listen(): void {
    const { doubtMs, silenceMs } = this.#rhythm;
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(
      doubtMs,
      () => {
        this.#endAfter(silenceMs - doubtMs, silenceMs);
        this.#options.onSilence();
      },
      { background: true },
    );
  }

  #endAfter(ms: number, silentMs: number = ms): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(
      ms,
      () => this.#end(servingError("DIRECTORY_FAILED", `sent nothing for ${silentMs} ms`)),
      { background: true },
    );
  }

  #end(cause: ServingError): void {
    if (this.#over) return;
    this.close();
    this.#options.onEnd(sourceFailure(`directory ${this.#address}`, cause));
  }
}

/** Says what keeps a difference from being taken, or undefined when nothing does. */
function differenceProblem(
  { known, baseVersion, rejected, firstProblem }: ReceivedUpstreamList,
  version: string | undefined,
): string | undefined {
  if (version === undefined) return "sent a difference before a list";
  if (baseVersion !== version) {
    return `sent a difference from version ${seen(baseVersion)}, expected ${seen(version)}`;
  }
  if (!known) return "sent a difference of a list that it does not know";
  if (rejected === 0) return undefined;
  return `sent a difference of which ${rejected} items make no sense, the first one's ${firstProblem}`;
}
