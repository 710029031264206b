import { type Backoff, createBackoff } from "../core/backoff.js";
import { nextLoopTurn } from "../core/loop-turns.js";
import type { CancelTimer, Clock, Random } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import type { EtcdChange, EtcdEntry } from "../wire/etcd.js";
import type { EtcdClient } from "./etcd-client.js";
import { type EtcdMoment, readPrefix } from "./read-prefix.js";
import { openWatchStream, type WatchEnd, type WatchStream } from "./watch-stream.js";

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 3_000;

/** A stream that has lasted so long was a success: the next wait is a short one again. */
const STABLE_MS = 1_000;

/** A member is asked for a sign so often. */
const ASK_INTERVAL_MS = 300;

/**
 * A member that has been silent for longer is doubted. It is looked at whenever it is asked, so that what has gone is doubted
 * after twice the interval at the latest.
 */
const DOUBT_MS = 500;

/** A member that has been silent for so long is left: the connection may be half-open, the member stopped. */
const SILENCE_MS = 5_000;

/** Told what stands below a prefix. */
export interface PrefixListener {
  /** All of it: at first, and whenever it is not known what has changed since (compaction, another cluster). */
  onSync(entries: readonly EtcdEntry[], revision: bigint): void;
  /** What has changed since: one or more whole revisions, the last one given, in order; a key may come twice. */
  onChanges(changes: readonly EtcdChange[], revision: bigint): void;
  /** etcd has said, with a leader, that nothing else has changed up to now. */
  onConfirmed(): void;
  /**
   * It cannot be said what stands there now; the watch goes on trying by itself. Told at once, but of errors with the same
   * code only once until there is something better to tell.
   */
  onError(error: ServingError): void;
}

/** Follows what stands below a prefix. */
export interface PrefixWatch {
  /** Ends it; the listener hears nothing more. */
  close(): void;
}

/** What a watch needs. */
export interface PrefixWatchOptions {
  /** Stays open when the watch is closed. */
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Follows all keys that begin with a prefix; whatever happens to etcd, no change is lost.
 *
 * ```
 *              read                watch from its revision + 1
 *   reading ----------> opening -----------------------------> following
 *      ^                   ^  '----- ended, silent for 5 s --------'  |
 *      |                   '--- waiting (jittered) <--- moment known -|
 *      '------ at once, or waiting (jittered) <--- compacted, another cluster, restored from a backup
 * ```
 *
 * What turns out to be no longer known is read anew at once, unless it has only just been read.
 *
 * While it follows, etcd is asked for a sign every 300 ms, and the listener is told when it gives none.
 *
 * @param prefix - not empty, ASCII at its end, as `services/mnist/`
 * @param listener - never called from inside
 */
export function watchPrefix(
  prefix: string,
  options: PrefixWatchOptions,
  listener: PrefixListener,
): PrefixWatch {
  return new Watch(prefix, options, listener);
}

class Watch implements PrefixWatch {
  readonly #prefix: string;
  readonly #options: PrefixWatchOptions;
  readonly #listener: PrefixListener;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  /** Codes of errors that the listener has been told of since it was last told something good. */
  readonly #told = new Set<Status>();
  /** What the listener knows is that of this moment; undefined when it has to be read anew. */
  #moment: EtcdMoment | undefined;
  /** That moment was read for the stream of now: that it is not known any more is strange, and no reason for haste. */
  #justRead = false;
  #synced = false;
  #stream: WatchStream | undefined;
  #createdAtMs: number | undefined;
  #heardAtMs = 0;
  #cancelRetry: CancelTimer = () => {};
  #cancelTick: CancelTimer = () => {};

  constructor(prefix: string, options: PrefixWatchOptions, listener: PrefixListener) {
    this.#prefix = prefix;
    this.#options = options;
    this.#listener = listener;
    this.#backoff = createBackoff(
      { initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS },
      options.random,
    );
    this.#open();
  }

  close(): void {
    this.#closing.abort();
    this.#cancelRetry();
    this.#cancelTick();
    this.#stream?.close();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  #open(): void {
    this.#read().catch((thrown: unknown) => {
      if (this.#closed) return;
      const error = ServingError.from(thrown);
      // What was being read was compacted meanwhile: no failure, and read again.
      if (error.code !== Status.OUT_OF_RANGE) this.#tell(error);
      this.#retry();
    });
  }

  async #read(): Promise<void> {
    this.#justRead = this.#moment === undefined;
    if (this.#moment === undefined) {
      const { client, clock } = this.#options;
      this.#heard();
      this.#watchSilence();
      const { entries, moment } = await readPrefix(this.#prefix, {
        client,
        clock,
        signal: this.#closing.signal,
        onPage: () => this.#heard(),
      });
      if (this.#closed) return;
      this.#moment = moment;
      this.#synced = true;
      this.#told.clear();
      this.#listener.onSync(entries, moment.revision);
    }
    if (!this.#closed) this.#follow(this.#moment);
  }

  #follow(since: EtcdMoment): void {
    this.#heard();
    this.#watchSilence();
    this.#stream = openWatchStream({
      client: this.#options.client,
      prefix: this.#prefix,
      since,
      onHeard: () => this.#heard(),
      onCreated: () => {
        this.#createdAtMs = this.#options.clock.now();
        // Begins with a whole interval: a member that has just taken the watch may answer before it has sent what was missed.
        this.#watchSilence();
      },
      onChanges: (changes, moment) => {
        this.#moment = moment;
        this.#told.clear();
        if (changes.length > 0) this.#listener.onChanges(changes, moment.revision);
      },
      onProgress: () => {
        this.#told.clear();
        this.#listener.onConfirmed();
      },
      onEnd: (end) => this.#ended(end),
    });
  }

  #ended(end: WatchEnd): void {
    if (this.#closed) return;
    const since = this.#createdAtMs;
    if (since !== undefined && this.#options.clock.now() - since >= STABLE_MS) {
      this.#backoff.reset();
    }
    this.#stream = undefined;
    this.#createdAtMs = undefined;
    if (end.kind === "lost") this.#moment = undefined;
    else this.#tell(end.error);
    if (end.kind === "lost" && !this.#justRead) this.#open();
    else this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#cancelRetry = this.#options.clock.after(this.#backoff.next(), () => this.#open(), {
      background: true,
    });
  }

  #tell(error: ServingError): void {
    if (this.#told.has(error.code)) return;
    this.#told.add(error.code);
    this.#listener.onError(error);
  }

  #heard(): void {
    this.#heardAtMs = this.#options.clock.now();
  }

  /** From now on the member is asked and its silence counted. */
  #watchSilence(): void {
    this.#cancelTick();
    this.#cancelTick = this.#options.clock.after(
      ASK_INTERVAL_MS,
      () => {
        // Only after what has arrived was read: this side may have been busy, not the member silent.
        void nextLoopTurn().then(() => {
          if (!this.#closed) this.#judgeSilence();
        });
      },
      { background: true },
    );
  }

  #judgeSilence(): void {
    const { clock } = this.#options;
    const silentMs = Math.round(clock.now() - this.#heardAtMs);
    const stream = this.#stream;
    if (this.#synced && this.#told.size === 0 && silentMs >= DOUBT_MS) {
      const who = stream === undefined ? "etcd" : `etcd ${stream.member}`;
      this.#tell(servingError("CONNECTION_LOST", `${who} has said nothing for ${silentMs} ms`));
    }
    if (this.#closed) return;
    if (stream !== undefined && silentMs >= SILENCE_MS) {
      stream.giveUp();
      const error = servingError("CONNECTION_LOST", `etcd ${stream.member} has fallen silent`);
      this.#ended({ kind: "failed", error });
    } else {
      if (this.#createdAtMs !== undefined) stream?.ask();
      this.#watchSilence();
    }
  }
}
