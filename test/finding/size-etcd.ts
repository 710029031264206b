import { bufferOf } from "../../src/core/bytes.js";
import type { Instance } from "../../src/core/instance.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import type { SnapshotChange } from "../../src/core/snapshot.js";
import { Status } from "../../src/core/status.js";
import { createEtcdSource } from "../../src/resolve/etcd/etcd-source.js";
import type { Attempt, AttemptListener, Transport } from "../../src/transport/transport.js";
import { etcdWatchRpc, keyBytes, rangeRpc, type WatchResponse } from "../../src/wire/etcd.js";
import { namingValueFromInstance } from "../../src/wire/etcd-naming.js";
import { createFakeClock, flushPromises } from "../support/fake-clock.js";
import { type OpenWay, SIZE_SERVICE, sizeOptions } from "./size-way.js";

const PREFIX = `${SIZE_SERVICE}/`;
/** As many keys as one question asks for. */
const PAGE_KEYS = 1_000;
/** A watch that has lasted so long is followed by the next try after 0.2 s. */
const LASTED_MS = 1_500;
const NEXT_TRY_MS = 300;
/** Changes within 50 ms are told together. */
const QUIET_MS = 60;

type WireEvent = WatchResponse["events"][number];
type WireKeyValue = NonNullable<WireEvent["kv"]>;

const PUT = 0;
const DELETE = 1;

function event(type: WireEvent["type"], kv: WireKeyValue): WireEvent {
  return { type, kv, prevKv: undefined };
}

/** Lists as pages of ranges, changes as events of a watch. */
export function openEtcd(): OpenWay {
  const clock = createFakeClock();
  let range: AttemptListener | undefined;
  let watch: AttemptListener | undefined;
  let revision = 1n;

  const header = (): WatchResponse["header"] => ({
    clusterId: 1n,
    memberId: 1n,
    revision,
    raftTerm: 1n,
  });
  const answer = (rest: Partial<WatchResponse>): Uint8Array =>
    etcdWatchRpc.encodeResponse({
      header: header(),
      watchId: 0n,
      created: false,
      canceled: false,
      compactRevision: 0n,
      cancelReason: "",
      fragment: false,
      events: [],
      ...rest,
    });
  const keyValue = (key: string, value: Uint8Array): WireKeyValue => ({
    key: keyBytes(`${PREFIX}${key}`),
    modRevision: revision,
    value,
    lease: 7n,
  });

  function started(path: string, listener: AttemptListener): Attempt {
    const rest = { halfClose() {}, read() {}, cancel() {} };
    if (path === rangeRpc.path) {
      range = listener;
      return { ...rest, send() {} };
    }
    watch = listener;
    let taken = false;
    const send: Attempt["send"] = (_, flushed) => {
      if (flushed !== undefined) queueMicrotask(flushed);
      const created = !taken;
      taken = true;
      queueMicrotask(() => listener.onMessage(answer({ created })));
    };
    return { ...rest, send };
  }

  const connect = (instance: Instance): Transport => ({
    instance,
    state: "ready",
    connect() {},
    onState: () => () => {},
    start: ({ path }, listener) => started(path, listener),
    close() {},
  });
  return {
    source: createEtcdSource(
      {
        kind: "etcd",
        text: `etcd://e/${SIZE_SERVICE}`,
        service: SIZE_SERVICE,
        members: [{ host: "127.0.0.1", port: 2379 }],
        prefix: PREFIX,
      },
      { ...sizeOptions(clock), connect },
    ),
    listBytes(instances) {
      revision += 1n;
      const kvs = instances
        .map((instance) => keyValue(instance.key, namingValueFromInstance(instance)))
        .sort((a, b) => Buffer.compare(a.key, b.key));
      const count = BigInt(kvs.length);
      const pages: Uint8Array[] = [];
      for (let from = 0; from < kvs.length; from += PAGE_KEYS) {
        const page = kvs.slice(from, from + PAGE_KEYS);
        const more = from + PAGE_KEYS < kvs.length;
        pages.push(rangeRpc.encodeResponse({ header: header(), kvs: page, more, count }));
      }
      return pages;
    },
    changeBytes({ changed, removed }: SnapshotChange) {
      revision += 1n;
      const gone = removed.map((key) => event(DELETE, keyValue(key, Buffer.alloc(0))));
      const here = changed.map((instance) =>
        event(PUT, keyValue(instance.key, namingValueFromInstance(instance))),
      );
      return answer({ events: [...gone, ...here] });
    },
    async arrive(parts, begun) {
      await clock.settle();
      if (watch !== undefined) {
        await clock.settle(LASTED_MS);
        watch.onMessage(answer({ canceled: true, compactRevision: revision }));
        await clock.settle(NEXT_TRY_MS);
      }
      begun();
      for (const part of parts) {
        while (range === undefined) await flushPromises();
        const asked = range;
        range = undefined;
        asked.onHeaders(emptyMetadata);
        asked.onMessage(bufferOf(part));
        const end = { code: Status.OK, message: "", reason: undefined, remote: true };
        asked.onEnd({ ...end, trailers: emptyMetadata });
      }
      await clock.settle();
    },
    async change(bytes, begun) {
      await clock.settle(QUIET_MS);
      begun();
      watch?.onMessage(bufferOf(bytes));
    },
  };
}
