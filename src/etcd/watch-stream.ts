import { seen } from "../core/options.js";
import { ServingError, servingError } from "../core/serving-error.js";
import {
  type EtcdChange,
  etcdChange,
  etcdWatchRpc,
  type WatchRequest,
  type WatchResponse,
  watchFrom,
  watchProgress,
} from "../wire/etcd.js";
import type { EtcdClient, EtcdStream } from "./etcd-client.js";
import { type EtcdMoment, MAX_READ_BYTES, malformed } from "./read-prefix.js";

/**
 * Why a stream is over. `lost`: what has changed since is not to be had any more (compaction), or the cluster is not the one
 * that it was.
 */
export type WatchEnd =
  | { readonly kind: "lost" }
  | { readonly kind: "failed"; readonly error: ServingError };

/** What a stream of changes is opened with. */
export interface WatchStreamOptions {
  readonly client: EtcdClient;
  readonly prefix: string;
  /** The changes wanted are those behind this moment. */
  readonly since: EtcdMoment;
  /** The member has said something. */
  onHeard(): void;
  /** The member has taken the watch. */
  onCreated(): void;
  /** The changes of one or more whole revisions, in order; may be none below the prefix. */
  onChanges(changes: readonly EtcdChange[], moment: EtcdMoment): void;
  /** The member has answered that it has sent all that it knows of. */
  onProgress(): void;
  /** The stream is over; told once, unless it was closed. */
  onEnd(end: WatchEnd): void;
}

/** One watch on one member. */
export interface WatchStream {
  /** `host:port` of the member. */
  readonly member: string;
  /** Asks the member for a sign, unless an earlier question has not even left. */
  ask(): void;
  /** Ends it because of its member; nothing more is told. */
  giveUp(): void;
  /** Ends it; nothing more is told. */
  close(): void;
}

/** Opens a watch; it ends by itself when the member ends it, or answers what makes no sense. */
export function openWatchStream(options: WatchStreamOptions): WatchStream {
  return new OpenStream(options);
}

class OpenStream implements WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #stream: EtcdStream<WatchRequest>;
  #moment: EtcdMoment;
  #fragments: WatchResponse["events"] = [];
  #fragmentBytes = 0;
  #over = false;

  constructor(options: WatchStreamOptions) {
    const { client, prefix, since } = options;
    this.#options = options;
    this.#moment = since;
    this.#stream = client.openStream(etcdWatchRpc, watchFrom(prefix, since.revision + 1n), {
      onMessage: (message) => {
        if (!this.#over) this.#take(message);
      },
      onEnd: (error) => {
        if (this.#over) return;
        this.#over = true;
        const ended = (): ServingError => servingError("CALL_FAILED", "etcd ended the watch");
        options.onEnd({ kind: "failed", error: error ?? ended() });
      },
    });
  }

  get member(): string {
    return this.#stream.member;
  }

  ask(): void {
    if (this.#stream.unsent === 0) this.#stream.send(watchProgress);
  }

  giveUp(): void {
    this.#over = true;
    this.#stream.giveUp();
  }

  close(): void {
    this.#over = true;
    this.#stream.cancel();
  }

  #take(message: WatchResponse): void {
    const { header } = message;
    if (header === undefined) {
      this.#fail(malformed("an answer has no header"));
      return;
    }
    this.#options.onHeard();
    // A watch that was not taken answers with a header of zeros.
    if (message.canceled) this.#canceled(message);
    else if (this.#isOfThePast(header)) this.#lose();
    else if (message.created) this.#options.onCreated();
    else if (message.events.length > 0) this.#takeEvents(message);
    else if (this.#fragments.length === 0) this.#options.onProgress();
  }

  /** Another cluster, or one that was put back to an earlier state: nothing that follows fits what is known. */
  #isOfThePast(header: EtcdMoment): boolean {
    const { clusterId, revision, raftTerm } = this.#moment;
    return (
      header.clusterId !== clusterId || header.revision < revision || header.raftTerm < raftTerm
    );
  }

  #canceled({ compactRevision, cancelReason }: WatchResponse): void {
    if (compactRevision > 0n || cancelReason.includes("compacted")) this.#lose();
    else {
      const said = cancelReason === "" ? "without a reason" : `because of ${seen(cancelReason)}`;
      this.#fail(servingError("CALL_FAILED", `etcd ${this.member} ended the watch ${said}`));
    }
  }

  #takeEvents({ header, events, fragment }: WatchResponse): void {
    for (const event of events) {
      this.#fragments.push(event);
      this.#fragmentBytes += (event.kv?.key.length ?? 0) + (event.kv?.value.length ?? 0);
    }
    if (this.#fragmentBytes > MAX_READ_BYTES) {
      this.#fail(malformed(`the changes of one revision are more than ${MAX_READ_BYTES} bytes`));
      return;
    }
    if (fragment) return;
    const joined = this.#fragments;
    this.#fragments = [];
    this.#fragmentBytes = 0;
    const known = this.#moment.revision;
    const changes: EtcdChange[] = [];
    let revision = known;
    for (const event of joined) {
      const change = etcdChange(event);
      if (change === undefined || change.revision <= known) continue;
      if (change.revision > revision) revision = change.revision;
      if (change.key.startsWith(this.#options.prefix)) changes.push(change);
    }
    const raftTerm = header?.raftTerm ?? this.#moment.raftTerm;
    // Only changes move the moment: in etcd before 3.4.25 a sign may overtake changes of earlier revisions.
    this.#moment = { ...this.#moment, revision, raftTerm };
    this.#options.onChanges(changes, this.#moment);
  }

  #lose(): void {
    // Perhaps the member lags: another one may not.
    this.giveUp();
    this.#options.onEnd({ kind: "lost" });
  }

  #fail(error: Error): void {
    this.giveUp();
    this.#options.onEnd({ kind: "failed", error: ServingError.from(error) });
  }
}
