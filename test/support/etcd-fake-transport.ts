import type { Instance } from "../../src/core/instance.js";
import { emptyMetadata, metadataText } from "../../src/core/metadata.js";
import { Status } from "../../src/core/status.js";
import type {
  Attempt,
  AttemptEnd,
  AttemptListener,
  AttemptStart,
  Transport,
} from "../../src/transport/transport.js";
import {
  etcdWatchRpc,
  keyBytes,
  type RangeRequest,
  rangeRpc,
  type WatchResponse,
} from "../../src/wire/etcd.js";

type WireEvent = WatchResponse["events"][number];
type WireKeyValue = NonNullable<WireEvent["kv"]>;

const PUT = 0;
const DELETE = 1;

const lost: AttemptEnd = {
  code: Status.UNAVAILABLE,
  message: "connection lost",
  trailers: emptyMetadata,
  reason: "CONNECTION_LOST",
  remote: false,
};

/** What is said in a transaction: a value for each key, undefined for one that is deleted. */
export type FakeWrites = Readonly<Record<string, string | undefined>>;

/** An etcd without sockets, as many members as are asked for, all with the same data. */
export class FakeEtcd {
  /** Watches that have been opened, in order. */
  readonly watches: FakeEtcdWatch[] = [];
  /** `MEMBER METHOD` of every call and stream. */
  readonly calls: string[] = [];
  openTransports = 0;
  clusterId = 7n;
  raftTerm = 2n;
  revision = 1n;
  compactedTo = 0n;
  /** Of what is written from now on. */
  lease = 0n;
  /** Takes what comes and answers nothing. */
  silent = false;
  /** While set, calls and streams end with this at once. */
  refusal: Partial<AttemptEnd> | undefined;
  /** While set, only these members are refused. */
  refused: readonly string[] | undefined;
  /** Most keys of one page, whatever is asked for. */
  maxPageKeys: number = Number.POSITIVE_INFINITY;
  /** Answers ranges instead. */
  answerRange: ((request: RangeRequest) => Uint8Array) | undefined;
  readonly #keys = new Map<string, WireKeyValue>();
  #history: { readonly revision: bigint; readonly events: readonly WireEvent[] }[] = [];

  /** Writes in one transaction: all of it at one revision. */
  write(writes: FakeWrites): void {
    this.revision += 1n;
    const revision = this.revision;
    const events = Object.entries(writes).map(([key, value]) => this.#apply(key, value));
    this.#history.push({ revision, events });
    if (!this.silent) for (const watch of this.watches) watch.catchUp();
  }

  /** Forgets what came before a revision. */
  compact(revision: bigint): void {
    this.compactedTo = revision;
    this.#history = this.#history.filter((past) => past.revision >= revision);
  }

  /** Puts back an earlier or another state, as a backup does. */
  restore(writes: FakeWrites, revision: bigint): void {
    this.#keys.clear();
    this.#history = [];
    this.revision = revision - 1n;
    this.write(writes);
  }

  /** Ends all streams. */
  drop(end: Partial<AttemptEnd> = {}): void {
    for (const watch of this.watches) watch.end(end);
  }

  /** What stands below a prefix. */
  below(prefix: string): Readonly<Record<string, string>> {
    const all = [...this.#keys].filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(all.map(([key, { value }]) => [key, Buffer.from(value).toString()]));
  }

  /** The newest watch. */
  get last(): FakeEtcdWatch {
    const last = this.watches.at(-1);
    if (last === undefined) throw new Error("there is no watch");
    return last;
  }

  readonly connect = (instance: Instance): Transport => {
    this.openTransports += 1;
    let closed = false;
    return {
      instance,
      state: "ready",
      connect() {},
      onState: () => () => {},
      start: (start, listener) => this.#start(instance.key, start, listener),
      close: () => {
        if (!closed) this.openTransports -= 1;
        closed = true;
      },
    };
  };

  /** Changes behind a revision, a list for each. */
  since(revision: bigint): readonly (readonly WireEvent[])[] {
    return this.#history.filter((past) => past.revision > revision).map(({ events }) => events);
  }

  header(): NonNullable<WatchResponse["header"]> {
    const { clusterId, raftTerm, revision } = this;
    return { clusterId, memberId: 1n, revision, raftTerm };
  }

  #apply(key: string, value: string | undefined): WireEvent {
    const kv: WireKeyValue = {
      key: keyBytes(key),
      modRevision: this.revision,
      value: Buffer.from(value ?? ""),
      lease: this.lease,
    };
    if (value === undefined) this.#keys.delete(key);
    else this.#keys.set(key, kv);
    return { type: value === undefined ? DELETE : PUT, kv, prevKv: undefined };
  }

  #start(member: string, start: AttemptStart, listener: AttemptListener): Attempt {
    if (metadataText(start.metadata, "hasleader") !== "true") throw new Error("no leader needed");
    this.calls.push(`${member} ${start.path.split("/").at(-1)}`);
    const isRefused = this.refused === undefined || this.refused.includes(member);
    const refusal = isRefused ? this.refusal : undefined;
    const watch = new FakeEtcdWatch(this, member, listener);
    if (refusal !== undefined) {
      queueMicrotask(() => watch.end(refusal));
      return { send() {}, halfClose() {}, read() {}, cancel() {} };
    }
    if (start.path === etcdWatchRpc.path) this.watches.push(watch);
    else if (start.path === rangeRpc.path) return this.#unary(watch, listener);
    else throw new Error(`no ${start.path} here`);
    return watch;
  }

  #unary(watch: FakeEtcdWatch, listener: AttemptListener): Attempt {
    return {
      send: (bytes) => {
        if (this.silent) return;
        const request = rangeRpc.decodeRequest(bytes);
        const { revision } = request;
        queueMicrotask(() => {
          if (revision > 0n && revision < this.compactedTo) {
            const message = "etcdserver: mvcc: required revision has been compacted";
            watch.end({ code: Status.OUT_OF_RANGE, message, reason: "CALL_FAILED", remote: true });
            return;
          }
          listener.onMessage((this.answerRange ?? this.#range)(request));
          watch.end({ code: Status.OK, reason: undefined, remote: true });
        });
      },
      halfClose() {},
      read() {},
      cancel: (code, message) => watch.end({ code, message, reason: "CANCELLED" }),
    };
  }

  readonly #range = ({ key, rangeEnd, limit }: RangeRequest): Uint8Array => {
    const found = [...this.#keys.values()]
      .filter((kv) => Buffer.compare(kv.key, key) >= 0 && Buffer.compare(kv.key, rangeEnd) < 0)
      .sort((a, b) => Buffer.compare(a.key, b.key));
    const kvs = found.slice(0, Math.min(Number(limit), this.maxPageKeys));
    const more = kvs.length < found.length;
    const header = this.header();
    return rangeRpc.encodeResponse({ header, kvs, more, count: BigInt(found.length) });
  };
}

/** A watch on a {@link FakeEtcd}: what has been asked of it, and what a test answers. */
export class FakeEtcdWatch implements Attempt {
  readonly member: string;
  /** The first revision that was asked for; undefined before anything was. */
  from: bigint | undefined;
  /** Questions for a sign. */
  asked = 0;
  /** Gives no sign when asked. */
  deaf = false;
  open = true;
  readonly #etcd: FakeEtcd;
  readonly #listener: AttemptListener;
  #sentTo = 0n;

  constructor(etcd: FakeEtcd, member: string, listener: AttemptListener) {
    this.#etcd = etcd;
    this.member = member;
    this.#listener = listener;
  }

  send(bytes: Uint8Array, flushed?: () => void): void {
    if (flushed !== undefined) queueMicrotask(flushed);
    const request = etcdWatchRpc.decodeRequest(bytes).requestUnion;
    if (request?.$case === "createRequest") {
      this.from = request.value.startRevision;
      this.#sentTo = this.from - 1n;
      if (!this.#etcd.silent) queueMicrotask(() => this.#create());
    } else if (request?.$case === "progressRequest") {
      this.asked += 1;
      if (!this.#etcd.silent && !this.deaf) queueMicrotask(() => this.answer({ watchId: -1n }));
    }
  }

  halfClose(): void {}

  read(): void {}

  cancel(code: Status, message: string): void {
    this.end({ code, message, reason: "CANCELLED" });
  }

  /** Sends an answer; what is left out is that of an answer without changes. */
  answer(answer: Partial<WatchResponse>): void {
    if (!this.open) return;
    const whole: WatchResponse = {
      header: this.#etcd.header(),
      watchId: 0n,
      created: false,
      canceled: false,
      compactRevision: 0n,
      cancelReason: "",
      fragment: false,
      events: [],
      ...answer,
    };
    this.#listener.onMessage(etcdWatchRpc.encodeResponse(whole));
  }

  /** Sends what is no message. */
  garbage(): void {
    if (!this.open) return;
    this.#listener.onMessage(Buffer.from([0xff, 0xff, 0xff]));
  }

  end(end: Partial<AttemptEnd> = {}): void {
    if (!this.open) return;
    this.open = false;
    this.#listener.onEnd({ ...lost, ...end });
  }

  /** Sends the changes that have not been sent, or that they are compacted. */
  catchUp(): void {
    if (!this.open || this.from === undefined) return;
    const { compactedTo } = this.#etcd;
    if (this.#sentTo + 1n < compactedTo) {
      this.answer({ canceled: true, compactRevision: compactedTo });
      return;
    }
    for (const events of this.#etcd.since(this.#sentTo)) this.answer({ events: [...events] });
    this.#sentTo = this.#etcd.revision;
  }

  #create(): void {
    this.answer({ created: true });
    this.catchUp();
  }
}
