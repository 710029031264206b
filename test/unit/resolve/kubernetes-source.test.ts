import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import type { Source } from "../../../src/resolve/source.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { sliceOf } from "../../support/fake-kubernetes.js";
import { statusOf } from "../../support/kubernetes-api.js";
import {
  createKubernetesPorts,
  type KubernetesPorts,
  sourceOver,
} from "../../support/kubernetes-ports.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

interface Fixture extends KubernetesPorts {
  readonly ports: KubernetesPorts;
  readonly clock: FakeClock;
  readonly source: Source;
  readonly recorder: SourceRecorder;
  /** Verbs that were asked for since this was last called. */
  asked(): readonly string[];
}

/** Lets everything run, but time. */
const NOW = 0;

function fixture(port = "grpc"): Fixture {
  const clock = createFakeClock();
  const ports = createKubernetesPorts(clock);
  const source = sourceOver(ports, clock, { port });
  const recorder = createSourceRecorder();
  let before = 0;
  const asked = () => {
    const verbs = ports.api.seen.slice(before).map(({ verb }) => verb);
    before = ports.api.seen.length;
    return verbs;
  };
  return { ...ports, ports, clock, source, recorder, asked };
}

/** One that watches two instances, or what else was put before. */
async function watching(prepare?: (fixture: Fixture) => void): Promise<Fixture> {
  const made = fixture();
  if (prepare === undefined) made.store.put(sliceOf("a", ["10.0.0.1", "10.0.0.2"]));
  prepare?.(made);
  made.source.start(made.recorder);
  await made.clock.settle(NOW);
  return made;
}

const hosts = (recorder: SourceRecorder) =>
  recorder.last?.instances
    .map(({ host }) => host.replace("10.0.0.", ""))
    .sort()
    .join(" ");

describe("the Kubernetes source", () => {
  it("lists in pages, then watches from the list's version with bookmarks", async () => {
    const { api, store, recorder, clock, source } = await watching(({ store: s }) => {
      for (let at = 0; at < 1_100; at++) s.put(sliceOf(`a-${at}`, [`10.1.${at >> 8}.${at & 255}`]));
    });
    expect(recorder.last?.instances.length).toBe(1_100);
    expect(api.seen.map(({ verb }) => verb)).toEqual(["list", "list", "list", "watch"]);
    const [first, second, , watch] = api.seen.map(({ query }) => Object.fromEntries(query));
    const labelSelector = "kubernetes.io/service-name=mnist";
    expect(first).toEqual({ labelSelector, limit: "500" });
    expect(second).toEqual({ labelSelector, limit: "500", continue: expect.any(String) });
    expect(watch).toEqual({
      labelSelector,
      watch: "1",
      resourceVersion: String(store.revision),
      allowWatchBookmarks: "true",
      timeoutSeconds: "445",
    });
    expect(recorder.errors).toEqual([]);
    await source.close();
    expect(api.watching).toBe(0);
    expect(clock.pending()).toEqual([]);
  });

  it("lists anew in one piece when the next page is no longer known", async () => {
    const { api, recorder, source } = await watching(({ store, ports }) => {
      for (let at = 0; at < 600; at++)
        store.put(sliceOf(`a-${at}`, [`10.1.${at >> 8}.${at & 255}`]));
      ports.api.settings.fault = (_, query) => {
        if (query.has("continue")) {
          store.pass();
          store.compact();
        }
        return undefined;
      };
    });
    expect(recorder.last).toMatchObject({ version: 1, stale: false });
    expect(recorder.last?.instances.length).toBe(600);
    expect(api.seen.map(({ verb, query }) => `${verb} ${query.get("limit")}`)).toEqual([
      "list 500",
      "list 500",
      "list null",
      "watch null",
    ]);
    expect(recorder.errors).toEqual([]);
    await source.close();
  });

  it("tells a first change at once, and joins those that follow", async () => {
    const { store, recorder, clock, source } = await watching();
    store.put(sliceOf("b", ["10.0.0.3"]));
    await clock.settle(NOW);
    expect(hosts(recorder)).toBe("1 2 3");
    for (let at = 4; at < 9; at++) store.put(sliceOf(`b-${at}`, [`10.0.0.${at}`]));
    await clock.settle(NOW);
    expect(recorder.snapshots.length).toBe(2);
    await clock.settle(50);
    expect(recorder.snapshots.length).toBe(3);
    expect(hosts(recorder)).toBe("1 2 3 4 5 6 7 8");
    store.delete("a");
    await clock.settle(50);
    expect(hosts(recorder)).toBe("3 4 5 6 7 8");
    await source.close();
  });

  it("waits a moment before nobody is left, who may only have moved", async () => {
    const { store, recorder, clock, source } = await watching();
    store.delete("a");
    await clock.settle(NOW);
    expect(hosts(recorder)).toBe("1 2");
    store.put(sliceOf("b", ["10.0.0.2"]));
    await clock.settle(50);
    expect(recorder.snapshots.length).toBe(2);
    expect(hosts(recorder)).toBe("2");
    store.delete("b");
    await clock.settle(50);
    await clock.settle(50);
    expect(recorder.last).toMatchObject({ instances: [], stale: false });
    await source.close();
  });

  it("confirms its list at connect, at each event and at bookmarks", async () => {
    const { recorder, clock, store, source } = await watching();
    await clock.settle(50);
    expect(recorder.confirmed.length).toBe(1);
    await clock.settle(59_950);
    expect(recorder.confirmed.at(-1)?.confirmedAtMs).toBe(clock.now());
    store.put(sliceOf("a", ["10.0.0.2", "10.0.0.1"]));
    await clock.settle(50);
    expect(recorder.confirmed.length).toBe(3);
    expect(recorder.snapshots.length).toBe(1);
    await source.close();
  });

  it("goes on at once from the last version when a watch ends as agreed", async () => {
    const { api, store, recorder, clock, source, asked } = await watching();
    for (let at = 0; at < 3; at++) store.pass();
    await clock.settle(445_000);
    expect(asked()).toEqual(["list", "watch", "watch"]);
    // What had passed was in a bookmark.
    expect(api.seen.at(-1)?.query.get("resourceVersion")).toBe(String(store.revision));
    store.put(sliceOf("b", ["10.0.0.3"]));
    await clock.settle(NOW);
    expect(hosts(recorder)).toBe("1 2 3");
    expect(recorder.errors).toEqual([]);
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("backs off from an API server that ends each watch at once", async () => {
    const { api, recorder, clock, source, asked, store } = await watching();
    api.settings.fault = (verb) => (verb === "watch" ? { status: 200 } : undefined);
    api.endWatches();
    await clock.settle(120_000);
    expect(asked().length).toBeLessThan(25);
    expect(recorder.errors[0]?.message).toMatch(/ended the watch after \d+ ms/);
    api.settings.fault = () => undefined;
    store.put(sliceOf("b", ["10.0.0.3"]));
    await clock.settle(40_000);
    expect(hosts(recorder)).toBe("1 2 3");
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it.each([
    ["on connect", true],
    ["as an event", false],
  ])("lists anew when its version is too old: %s", async (_, expiredOnConnect) => {
    const { api, store, recorder, clock, source, asked } = await watching();
    asked();
    api.settings.expiredOnConnect = expiredOnConnect;
    api.endWatches("reset");
    store.put(sliceOf("b", ["10.0.0.3"]));
    store.delete("a");
    store.compact();
    await clock.settle(2_000);
    expect(asked()).toEqual(["watch", "list", "watch"]);
    expect(hosts(recorder)).toBe("3");
    // Stale, and the difference as one.
    expect(recorder.snapshots.map(({ stale }) => stale)).toEqual([false, true, false]);
    expect(recorder.errors.length).toBe(1);
    await source.close();
  });

  it("lists anew at once on 410 in the stream, and does not do so without a pause", async () => {
    const { api, store, recorder, clock, source, asked } = await watching();
    asked();
    const line = JSON.stringify({ type: "ERROR", object: statusOf(410, "Gone", "too old") });
    store.put(sliceOf("b", ["10.0.0.3"]));
    api.endWatches({ line });
    await clock.settle(NOW);
    expect(asked()).toEqual(["list", "watch"]);
    expect(hosts(recorder)).toBe("1 2 3");
    expect(recorder.errors).toEqual([]);
    api.settings.fault = (verb) =>
      verb === "watch" ? { status: 200, body: `${line}\n` } : undefined;
    api.endWatches({ line });
    await clock.settle(60_000);
    expect(asked().length).toBeLessThan(30);
    await source.close();
  });

  it("counts its list as stale while a watch that ended is not back", async () => {
    const { api, recorder, clock, source } = await watching();
    api.settings.fault = () => "hang";
    api.endWatches();
    await clock.settle(999);
    expect(recorder.last?.stale).toBe(false);
    await clock.settle(1);
    expect(recorder.last?.stale).toBe(true);
    await clock.settle(10_000);
    expect(recorder.errors.at(-1)?.message).toContain("did not answer for 10000 ms");
    api.settings.fault = () => undefined;
    await clock.settle(12_000);
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("is stale at once when the watch is lost, and comes back from where it was", async () => {
    const { api, ports, recorder, clock, source, store, asked } = await watching();
    asked();
    ports.unreachable = true;
    api.endWatches("reset");
    await clock.settle(NOW);
    expect(recorder.last).toMatchObject({ stale: true });
    expect(recorder.errors.at(-1)).toMatchObject({ reason: "DIRECTORY_FAILED" });
    store.put(sliceOf("b", ["10.0.0.3"]));
    await clock.settle(120_000);
    ports.unreachable = false;
    await clock.settle(36_000);
    expect(asked()).toEqual(["watch"]);
    expect(hosts(recorder)).toBe("1 2 3");
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("takes a connection for dead that is silent for two minutes", async () => {
    const { api, recorder, clock, source, asked } = await watching();
    api.settings.bookmarkMs = 10_000_000;
    await clock.settle(60_000);
    expect(recorder.errors).toEqual([]);
    await clock.settle(119_999);
    expect(recorder.errors).toEqual([]);
    asked();
    await clock.settle(1);
    expect(recorder.errors.at(-1)?.message).toContain("sent nothing for 120000 ms");
    expect(recorder.last?.stale).toBe(true);
    await clock.settle(1_000);
    expect(asked()).toEqual(["watch"]);
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("is stale when a silent API server does not answer a question either", async () => {
    const { api, ports, recorder, clock, source, asked, store } = await watching();
    asked();
    api.settings.bookmarkMs = 10_000_000;
    await clock.settle(60_000);
    const lastLineMs = clock.now();
    await clock.settle(45_000);
    expect(recorder.errors).toEqual([]);
    ports.silent = true;
    // Asked at 30 s and at 60 s after the last line.
    await clock.settle(19_999);
    expect(recorder.errors).toEqual([]);
    await clock.settle(1);
    expect(clock.now() - lastLineMs).toBe(65_000);
    expect(recorder.errors.at(-1)?.message).toContain("sent nothing for 30000 ms and does not");
    expect(recorder.last?.stale).toBe(true);
    expect(api.watching).toBe(0);
    store.put(sliceOf("b", ["10.0.0.3"]));
    ports.silent = false;
    await clock.settle(2_000);
    expect(asked()).toEqual(["watch"]);
    expect(hosts(recorder)).toBe("1 2 3");
    expect(recorder.last?.stale).toBe(false);
    await source.close();
    expect(clock.pending()).toEqual([]);
  });

  it("leaves a watch alone that says something while the question is under way", async () => {
    const { ports, recorder, clock, source, store } = await watching(({ api }) => {
      api.settings.bookmarkMs = 10_000_000;
    });
    await clock.settle(30_000);
    ports.silent = true;
    await clock.settle(31_000);
    store.put(sliceOf("b", ["10.0.0.3"]));
    await clock.settle(20_000);
    expect(recorder.errors).toEqual([]);
    await source.close();
    expect(clock.pending()).toEqual([]);
  });

  it.each(["403", "500"])(
    "stays stale while no watch is taken: %s, and follows by lists",
    async (status) => {
      const { api, recorder, clock, source, store } = await watching();
      api.settings.fault = (verb) => (verb === "watch" ? { status: Number(status) } : undefined);
      api.endWatches("reset");
      await clock.settle(60_000);
      store.put(sliceOf("b", ["10.0.0.3"]));
      await clock.settle(60_000);
      expect(hosts(recorder)).toBe("1 2 3");
      expect(recorder.snapshots.map(({ stale }) => stale)).toEqual([false, true, true]);
      api.settings.fault = () => undefined;
      await clock.settle(40_000);
      expect(recorder.snapshots.map(({ stale }) => stale)).toEqual([false, true, true, false]);
      await source.close();
    },
  );

  it.each(["list", "watch"] as const)("says which rights it lacks: %s", async (verb) => {
    const { recorder, source } = await watching(({ api, store }) => {
      store.put(sliceOf("a", ["10.0.0.1"]));
      api.settings.forbidden = [verb];
    });
    const message = recorder.errors[0]?.message ?? "";
    expect(message).toContain("grant the verbs list and watch on endpointslices");
    expect(message).toContain("discovery.k8s.io in namespace ns");
    expect(message).toContain(`cannot ${verb} resource`);
    await source.close();
  });

  it.each([
    ["Retry-After", { "retry-after": "20" }, "", 20_000],
    [
      "the Status",
      {},
      JSON.stringify(statusOf(429, "TooManyRequests", "", { retryAfterSeconds: 20 })),
      20_000,
    ],
    ["a minute at most", { "retry-after": "86400" }, "", 60_000],
  ])("comes back when it is told to: %s", async (_, headers, body, afterMs) => {
    const { api, recorder, clock, source, asked } = await watching();
    asked();
    for (const status of [429, 503]) {
      api.settings.fault = () => ({ status, headers, body });
      api.endWatches("reset");
      await clock.settle(800);
      expect(asked()).toEqual(["watch"]);
      expect(recorder.errors.at(-1)?.message).toContain(`answered ${status}`);
      await clock.settle(afterMs - 1);
      expect(asked()).toEqual([]);
      api.settings.fault = () => undefined;
      await clock.settle(afterMs * 0.1 + 51);
      expect(asked()).toEqual(["watch"]);
      expect(recorder.last?.stale).toBe(false);
      // So long that the waits begin anew.
      await clock.settle(15_000);
    }
    await source.close();
  });

  it.each([
    [
      "an answer that is no list",
      { status: 200, body: "<html>" },
      "UPSTREAM_MALFORMED",
      "is not JSON",
    ],
    ["404", { status: 404 }, "DIRECTORY_FAILED", "Kubernetes 1.21"],
    ["401", { status: 401 }, "DIRECTORY_FAILED", "wrong or outlived: directoryToken"],
    [
      "a redirect",
      { status: 302, headers: { location: "https://login/" } },
      "DIRECTORY_FAILED",
      "answered 302, a redirect to https://login/, which is not followed",
    ],
    ["500", { status: 500, body: "\u001b[31mred\nalert" }, "DIRECTORY_FAILED", "answered 500"],
  ])("without a list says what is wrong: %s", async (_, fault, reason, message) => {
    const { recorder, source, clock, api } = await watching(({ api: a, store }) => {
      store.put(sliceOf("a", ["10.0.0.1"]));
      a.settings.fault = () => fault;
    });
    expect(recorder.errors[0]).toMatchObject({ reason, message: expect.stringContaining(message) });
    api.settings.fault = () => undefined;
    await clock.settle(1_000);
    expect(hosts(recorder)).toBe("1");
    await source.close();
  });

  it("lists anew after nonsense in the stream, and keeps the list it had", async () => {
    const { api, recorder, clock, source, asked } = await watching();
    for (const nonsense of ["garbage\n", '{"type":"ADDED"}\n', "[]\n"]) {
      asked();
      api.say(nonsense);
      await clock.settle(NOW);
      expect(recorder.errors.at(-1)).toMatchObject({ reason: "UPSTREAM_MALFORMED" });
      expect(hosts(recorder)).toBe("1 2");
      await clock.settle(1_500);
      expect(asked()).toEqual(["list", "watch"]);
      await clock.settle(15_000);
    }
    await source.close();
  });

  it("keeps its list, waits and lists anew when a watch adds endpoints without end", async () => {
    const { api, recorder, clock, source, asked, store } = await watching();
    asked();
    const many = Array.from({ length: 30_000 }, (_, at) => `10.${at >> 12}.${at & 63}.${at >> 7}`);
    for (const name of ["x-1", "x-2", "x-3", "x-4", "x-5"]) {
      const { endpoints, ports } = sliceOf(name, many);
      const labels = { "kubernetes.io/service-name": "mnist" };
      const metadata = { name, labels, resourceVersion: String(store.revision) };
      const object = { metadata, addressType: "IPv4", endpoints, ports };
      api.say(`${JSON.stringify({ type: "ADDED", object })}\n`);
    }
    await clock.settle(NOW);
    expect(recorder.errors.at(-1)).toMatchObject({
      reason: "UPSTREAM_MALFORMED",
      message: expect.stringContaining("120002 endpoints, expected 100000 at most"),
    });
    expect(recorder.last?.stale).toBe(true);
    expect(recorder.last?.instances.length).toBeGreaterThan(0);
    expect(api.watching).toBe(0);
    expect(asked()).toEqual([]);
    await clock.settle(1_000);
    expect(asked()).toEqual(["list", "watch"]);
    expect(recorder.last?.stale).toBe(false);
    expect(hosts(recorder)).toBe("1 2");
    await source.close();
  });

  it("lists anew when the version itself is refused inside the stream", async () => {
    const { api, clock, source, asked } = await watching();
    asked();
    const object = statusOf(504, "Timeout", "Too large resource version: 1000, current: 1");
    api.endWatches({ line: JSON.stringify({ type: "ERROR", object }) });
    await clock.settle(1_000);
    expect(asked()).toEqual(["list", "watch"]);
    await source.close();
  });

  it("counts events that it does not know, and goes on", async () => {
    const { api, recorder, clock, source, store } = await watching();
    const object = { metadata: { name: "x", resourceVersion: String(store.revision) } };
    api.say(`${JSON.stringify({ type: "SYNCED", object })}\n`);
    api.say(`${JSON.stringify({ type: "ADDED", object: {} })}\n`);
    await clock.settle(50);
    expect(recorder.last).toMatchObject({ rejected: 2, stale: false });
    expect(hosts(recorder)).toBe("1 2");
    expect(recorder.errors).toEqual([]);
    await source.close();
  });

  it("keeps its list and names the ports when the asked one is gone", async () => {
    const { recorder, clock, source, store } = await watching();
    const ports = [{ name: "http", port: 8080 }];
    store.put(sliceOf("a", ["10.0.0.1"], { ports }));
    await clock.settle(50);
    expect(recorder.last).toMatchObject({ stale: true });
    expect(recorder.errors.at(-1)?.message).toContain('no endpoint has the port "grpc"');
    expect(recorder.errors.at(-1)?.message).toContain("http=8080");
    await clock.settle(60_000);
    store.put(sliceOf("a", ["10.0.0.1", "10.0.0.4"], { ports }));
    await clock.settle(50);
    expect(recorder.errors.length).toBe(1);
    expect(recorder.last?.stale).toBe(true);
    store.put(sliceOf("a", ["10.0.0.5"]));
    await clock.settle(50);
    expect(hosts(recorder)).toBe("5");
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("follows no other service of the namespace, and no other namespace", async () => {
    const { store, recorder, clock, source } = await watching();
    store.put(sliceOf("z", ["10.0.0.7"], { service: "other" }));
    store.put(sliceOf("z", ["10.0.0.8"], { namespace: "elsewhere" }));
    store.put(sliceOf("y", ["10.0.0.9"], { service: null }));
    await clock.settle(100);
    expect(hosts(recorder)).toBe("1 2");
    // Its label is taken away.
    store.put(sliceOf("a", ["10.0.0.1"], { service: null }));
    await clock.settle(100);
    expect(recorder.last?.instances).toEqual([]);
    await source.close();
  });

  it("says that there is nobody when there is no slice, and in the log once what was asked for", async () => {
    const clock = createFakeClock();
    const ports = createKubernetesPorts(clock);
    const said: string[] = [];
    const logger = { ...silentLogger, info: (_: object, text: string) => said.push(text) };
    const source = sourceOver(ports, clock, { logger });
    const recorder = createSourceRecorder();
    source.start(recorder);
    await clock.settle(NOW);
    expect(recorder.last).toMatchObject({ instances: [], stale: false, service: "ns/mnist" });
    const none = "no slice of service mnist in namespace ns: check both names";
    expect(said).toEqual([none]);
    ports.api.endWatches("reset");
    ports.store.put(sliceOf("z", ["10.0.0.7"], { service: "other" }));
    await clock.settle(10_000);
    expect(said).toEqual([none]);
    ports.store.put(sliceOf("a", ["10.0.0.1"]));
    await clock.settle(100);
    ports.store.delete("a");
    await clock.settle(200);
    expect(said).toEqual([none, none]);
    await source.close();
  });
});
