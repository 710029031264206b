import type { SnapshotChange } from "../../src/core/snapshot.js";
import { createKubernetesSource } from "../../src/resolve/kubernetes/kubernetes-source.js";
import type { HttpGet, HttpGetResponse } from "../../src/transport/http-get.js";
import type { HttpLines, HttpLinesListener } from "../../src/transport/http-lines.js";
import { SERVICE_LABEL } from "../../src/wire/endpoint-slice.js";
import { createFakeClock } from "../support/fake-clock.js";
import { type OpenWay, SIZE_SERVICE, sizeOptions } from "./size-way.js";

/** As many endpoints as Kubernetes's controller puts into one slice. */
const SLICE_ENDPOINTS = 100;
/** A version that is too old is followed by a list at once, once in so long. */
const HASTE_MS = 11_000;
/** Changes within 50 ms are told together. */
const QUIET_MS = 60;
const NAMESPACE = "ns";
const PORT = 8080;

/** Lists as one page of slices, changes as an event with the whole slice that has changed. */
export function openKubernetes(): OpenWay {
  const clock = createFakeClock();
  let answer: ((response: HttpGetResponse) => void) | undefined;
  let watch: HttpLinesListener | undefined;
  const slices = new Slices();
  const get: HttpGet = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const lines: HttpLines = ({ listener }) => {
    watch = listener;
    queueMicrotask(() => listener.onHead({ status: 200, header: () => undefined }));
    return { cancel() {} };
  };
  return {
    source: createKubernetesSource(
      {
        kind: "kubernetes",
        text: `kubernetes://k/${NAMESPACE}/${SIZE_SERVICE}:${PORT}`,
        service: `${NAMESPACE}/${SIZE_SERVICE}`,
        namespace: NAMESPACE,
        name: SIZE_SERVICE,
        port: PORT,
        server: { host: "127.0.0.1", port: 6443 },
      },
      { ...sizeOptions(clock), get, lines },
    ),
    listBytes(instances) {
      slices.put(instances.map(({ host }) => host));
      return [bytesOf({ ...listHead, metadata: slices.version(), items: slices.all() })];
    },
    changeBytes({ changed, removed }: SnapshotChange) {
      const gone = removed.map((key) => key.slice(0, key.lastIndexOf(":")));
      const [joined] = changed.map(({ host }) => host);
      return bytesOf({ type: "MODIFIED", object: slices.change(gone[0], joined) });
    },
    async arrive([body = new Uint8Array(0)], begun) {
      await clock.settle();
      if (watch !== undefined) {
        await clock.settle(HASTE_MS);
        const gone = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
        watch.onLine(JSON.stringify({ type: "ERROR", object: gone }));
        await clock.settle();
      }
      begun();
      answer?.({ status: 200, header: () => undefined, body });
      await clock.settle();
    },
    async change(bytes, begun) {
      await clock.settle(QUIET_MS);
      begun();
      watch?.onLine(Buffer.from(bytes).toString("utf8"));
    },
  };
}

const listHead = { kind: "EndpointSliceList", apiVersion: "discovery.k8s.io/v1" };

function bytesOf(object: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(object));
}

/** The slices of the service: who leaves, leaves a place free, and who joins takes the first one that is free. */
class Slices {
  readonly #slices: Set<string>[] = [];
  readonly #places = new Map<string, number>();
  #version = 100;

  put(hosts: readonly string[]): void {
    const kept = new Set(hosts);
    for (const host of [...this.#places.keys()]) if (!kept.has(host)) this.#remove(host);
    for (const host of hosts) if (!this.#places.has(host)) this.#add(host);
  }

  /** Takes a host out and another one in; the slice that this changes. */
  change(gone: string | undefined, joined: string | undefined): unknown {
    const left = gone === undefined ? undefined : this.#remove(gone);
    const place = joined === undefined ? left : this.#add(joined, left);
    return this.#slice(place ?? 0);
  }

  version(): { readonly resourceVersion: string } {
    this.#version += 1;
    return { resourceVersion: String(this.#version) };
  }

  all(): readonly unknown[] {
    return this.#slices.map((_, place) => this.#slice(place));
  }

  #remove(host: string): number | undefined {
    const place = this.#places.get(host);
    this.#places.delete(host);
    if (place !== undefined) this.#slices[place]?.delete(host);
    return place;
  }

  #add(host: string, free?: number): number {
    const found = free ?? this.#slices.findIndex(({ size }) => size < SLICE_ENDPOINTS);
    const place = found < 0 ? this.#slices.length : found;
    this.#places.set(host, place);
    const slice = this.#slices[place];
    if (slice === undefined) this.#slices.push(new Set([host]));
    else slice.add(host);
    return place;
  }

  #slice(place: number): unknown {
    const name = `${SIZE_SERVICE}-${place}`;
    return {
      metadata: {
        name,
        generateName: `${SIZE_SERVICE}-`,
        namespace: NAMESPACE,
        uid: `00000000-0000-4000-8000-${String(place).padStart(12, "0")}`,
        ...this.version(),
        generation: 3,
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: {
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          [SERVICE_LABEL]: SIZE_SERVICE,
        },
        annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z" },
      },
      addressType: "IPv4",
      endpoints: [...(this.#slices[place] ?? [])].map(endpoint),
      ports: [{ name: "http", port: PORT, protocol: "TCP" }],
    };
  }
}

/** With all that the controller writes: most of what there is to read means nothing to callers. */
function endpoint(host: string): unknown {
  const pod = `${SIZE_SERVICE}-6b7f5d8c9-${host.replaceAll(".", "-")}`;
  return {
    addresses: [host],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: {
      kind: "Pod",
      namespace: NAMESPACE,
      name: pod,
      uid: "00000000-0000-4000-8000-000000000000",
    },
    nodeName: "node-17.cluster.internal",
    zone: "cn-hangzhou-b",
  };
}
