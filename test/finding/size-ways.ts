import { bufferOf } from "../../src/core/bytes.js";
import type { Instance } from "../../src/core/instance.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import { createDirectorySource } from "../../src/resolve/directory-source.js";
import { createHttpSource } from "../../src/resolve/http-source.js";
import type { HttpGet, HttpGetResponse } from "../../src/transport/http-get.js";
import type { AttemptListener, Transport } from "../../src/transport/transport.js";
import {
  type UpstreamList,
  upstreamDifferenceToWire,
  upstreamListToWire,
  watchUpstreamsRpc,
} from "../../src/wire/upstream.js";
import { upstreamAnswerToJson } from "../../src/wire/upstream-json.js";
import { createFakeClock } from "../support/fake-clock.js";
import { openEtcd } from "./size-etcd.js";
import { openKubernetes } from "./size-kubernetes.js";
import { type OpenWay, SIZE_POLL_MS, SIZE_SERVICE, type SizeWay, sizeOptions } from "./size-way.js";

function openEasJson(): OpenWay {
  const clock = createFakeClock();
  let answer: (response: HttpGetResponse) => void = () => {};
  const get: HttpGet = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const url = `http://directory/api/v1/servicediscovery/upstreams/${SIZE_SERVICE}`;
  return {
    source: createHttpSource(
      { kind: "http", text: url, service: SIZE_SERVICE, directories: [[url]] },
      { ...sizeOptions(clock), get },
    ),
    listBytes: (instances) => [
      new TextEncoder().encode(
        upstreamAnswerToJson(
          { service: SIZE_SERVICE, instances, correlative: [SIZE_SERVICE] },
          { reduceWeights: false },
        ),
      ),
    ],
    changeBytes: undefined,
    async arrive([body = new Uint8Array(0)], begun) {
      // Its next poll is under way by then.
      await clock.settle(SIZE_POLL_MS);
      begun();
      answer({ status: 200, header: () => undefined, body });
      await clock.settle();
    },
    change: () => Promise.reject(new Error("this way knows whole lists only")),
  };
}

function openDirectoryWatch(): OpenWay {
  const clock = createFakeClock();
  let listener: AttemptListener | undefined;
  let version = 0;
  const connect = (instance: Instance): Transport => ({
    instance,
    state: "ready",
    connect() {},
    onState: () => () => {},
    start(_, started) {
      listener = started;
      started.onHeaders(emptyMetadata);
      return { send() {}, halfClose() {}, read() {}, cancel() {} };
    },
    close() {},
  });
  const directory = { host: "127.0.0.1", port: 8100 };
  const listOf = (instances: readonly Instance[]): UpstreamList => {
    version += 1;
    return {
      service: SIZE_SERVICE,
      version: `1.${version}`,
      instances,
      correlative: [SIZE_SERVICE],
      known: true,
      shares: new Map(),
      stale: false,
      settled: true,
    };
  };
  return {
    source: createDirectorySource(
      {
        kind: "directory",
        text: "directory://d/size",
        service: SIZE_SERVICE,
        directories: [directory],
      },
      { ...sizeOptions(clock), connect },
    ),
    listBytes: (instances) => [
      watchUpstreamsRpc.encodeResponse(upstreamListToWire(listOf(instances))),
    ],
    changeBytes(change) {
      const since = `1.${version}`;
      return watchUpstreamsRpc.encodeResponse(upstreamDifferenceToWire(listOf([]), since, change));
    },
    async arrive([bytes = new Uint8Array(0)], begun) {
      await clock.settle();
      begun();
      listener?.onMessage(bufferOf(bytes));
    },
    async change(bytes, begun) {
      await clock.settle();
      begun();
      listener?.onMessage(bufferOf(bytes));
    },
  };
}

/** Every way that is measured. */
export const sizeWays: readonly SizeWay[] = [
  { name: "EAS JSON", weighs: true, open: openEasJson },
  { name: "directory watch", weighs: true, open: openDirectoryWatch },
  { name: "etcd", weighs: true, open: openEtcd },
  { name: "Kubernetes", weighs: false, open: openKubernetes },
];
