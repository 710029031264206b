import { DEFAULT_WEIGHT, type Instance, instanceOf } from "../../src/core/instance.js";
import { type CancelTimer, type Random, silentLogger } from "../../src/core/ports.js";
import { createDirectorySource } from "../../src/resolve/directory-source.js";
import { createDnsSource } from "../../src/resolve/dns/dns-source.js";
import { createEtcdSource } from "../../src/resolve/etcd/etcd-source.js";
import { createFileSource } from "../../src/resolve/file-source.js";
import { createHttpSource } from "../../src/resolve/http-source.js";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import { createStaticSource } from "../../src/resolve/static-source.js";
import { parseTarget } from "../../src/resolve/target/target.js";
import type { HttpTarget } from "../../src/resolve/target/target-kind.js";
import { createVipserverSource } from "../../src/resolve/vipserver-source.js";
import type { HttpGet } from "../../src/transport/http-get.js";
import type { Transport } from "../../src/transport/transport.js";
import { namingValueFromInstance } from "../../src/wire/etcd-naming.js";
import { differenceRhythm, type UpstreamList, wholeListRhythm } from "../../src/wire/upstream.js";
import { createFakeDirectories } from "../support/directory-fake-transport.js";
import { FakeEtcd } from "../support/etcd-fake-transport.js";
import type { FakeClock } from "../support/fake-clock.js";
import { address, createFakeDns, service } from "../support/fake-dns.js";
import { createFakeFiles } from "../support/fake-files.js";
import { sliceOf } from "../support/fake-kubernetes.js";
import { createKubernetesPorts, sourceOver } from "../support/kubernetes-ports.js";
import { createScriptedServer, easBody } from "../support/source-http-server.js";
import { describeSource, type SourceBounds, type SourceDriver } from "./source-suite.js";

const url = "http://directory/api/v1/servicediscovery/upstreams/mnist";

const httpTarget: HttpTarget = { kind: "http", text: url, service: "mnist", directories: [[url]] };

function itemsOf(instances: readonly Instance[]): readonly object[] {
  return instances.map(({ host: ip, port, weight }) => ({ ip, port, weight }));
}

function options(clock: FakeClock, random: Random = () => 0.5): SourceOptions {
  return { clock, logger: silentLogger, random, pollIntervalMs: 5_000 };
}

/** With a poll every 4 to 6 s: "none" is believed when it is seen for the third time. */
const polled: SourceBounds = {
  firstMs: 5_000,
  noticeMs: 6_000,
  noneMs: 18_000,
  backMs: 12_000,
  confirmMs: 6_000,
};

/** A poll, and what it waits for an answer. */
const polledSilenceMs = 11_000;

describeSource("static", (clock) => {
  const instances = [
    instanceOf({ host: "10.0.0.1", port: 80 }),
    instanceOf({ host: "10.0.0.2", port: 80, weight: 50 }),
  ];
  const target = { kind: "static", text: "a,b", service: "a,b", instances } as const;
  const bounds = { firstMs: 0, noticeMs: 0, backMs: 0, confirmMs: 0 };
  return { source: createStaticSource(target, options(clock)), bounds, list() {} };
});

describeSource("http", (clock, random): SourceDriver => {
  const server = createScriptedServer({ status: 500 });
  return {
    source: createHttpSource(httpTarget, { ...options(clock, random), get: server.get }),
    bounds: { ...polled, silenceMs: polledSilenceMs },
    asked: () => server.requests.length,
    mute() {
      server.answer = "never";
    },
    list(instances) {
      server.answer = { status: 200, body: easBody(itemsOf(instances)) };
    },
    fail() {
      server.answer = { status: 500 };
    },
    forget() {
      server.answer = { status: 404 };
    },
  };
});

describeSource("http with tags", (clock, random): SourceDriver => {
  let body: string | undefined;
  const get: HttpGet = async ({ headers }) => {
    const sent = body;
    if (sent === undefined) throw new Error("connection refused");
    const etag = `"${sent.length}:${sent}"`;
    const same = headers["if-none-match"] === etag;
    return {
      status: same ? 304 : 200,
      header: (name) => (name === "etag" ? etag : undefined),
      body: new TextEncoder().encode(same ? "" : sent),
    };
  };
  return {
    source: createHttpSource(httpTarget, { ...options(clock, random), get }),
    bounds: polled,
    list(instances) {
      body = easBody(itemsOf(instances));
    },
    fail() {
      body = undefined;
    },
  };
});

describeSource("http, one of several directories", (clock, random): SourceDriver => {
  const unknowing = createScriptedServer({ status: 404 });
  const server = createScriptedServer({ status: 500 });
  const get: HttpGet = (request) =>
    request.url === url ? server.get(request) : unknowing.get(request);
  const directories = [["http://other/a", "http://other/b"], [url]];
  return {
    source: createHttpSource({ ...httpTarget, directories }, { ...options(clock, random), get }),
    bounds: { ...polled, silenceMs: polledSilenceMs },
    asked: () => server.requests.length,
    mute() {
      server.answer = "never";
    },
    list(instances) {
      server.answer = { status: 200, body: easBody(itemsOf(instances)) };
    },
    fail() {
      server.answer = { status: 500 };
    },
    forget() {
      server.answer = { status: 404 };
    },
  };
});

describeSource("VIPServer", (clock, random): SourceDriver => {
  const server = createScriptedServer({ status: 500 });
  const servers = createScriptedServer({ status: 200, body: "10.1.0.1\n10.1.0.2\n" });
  const get: HttpGet = (request) =>
    request.url.endsWith("/serverlist") ? servers.get(request) : server.get(request);
  const target = { kind: "vipserver", domain: "mnist", serverList: "list:8080" } as const;
  return {
    source: createVipserverSource(target, { ...options(clock, random), get }),
    bounds: { ...polled, silenceMs: polledSilenceMs },
    asked: () => server.requests.length,
    mute() {
      server.answer = "never";
    },
    list(instances) {
      server.answer = { status: 200, body: JSON.stringify({ hosts: itemsOf(instances) }) };
    },
    fail() {
      server.answer = { status: 500 };
    },
  };
});

const dnsServer = { host: "10.0.0.53", port: 53 };
const serverFails = { code: 2 };

/** With records that live for 10 s. */
const dnsBounds: SourceBounds = {
  firstMs: 4_500,
  noticeMs: 11_000,
  noneMs: 23_000,
  backMs: 12_000,
  confirmMs: 11_000,
  silenceMs: 15_500,
};

describeSource("DNS, addresses", (clock, random): SourceDriver => {
  const dns = createFakeDns();
  const name = "mnist.test";
  const target = { kind: "dns", text: "dns:", service: name, name, port: 80 } as const;
  dns.servers.set(dnsServer.host, serverFails);
  return {
    source: createDnsSource(
      { ...target, servers: [dnsServer] },
      { ...options(clock, random), ask: dns.ask },
    ),
    bounds: dnsBounds,
    asked: () => dns.asked.length,
    mute() {
      dns.servers.set(dnsServer.host, "never");
    },
    weightThere: () => 100,
    list(instances) {
      dns.servers.clear();
      dns.zone.clear();
      const answers = instances.map(({ host }) => address(name, host));
      if (answers.length > 0) dns.zone.set(`A ${name}`, answers);
    },
    fail() {
      dns.servers.set(dnsServer.host, serverFails);
    },
  };
});

describeSource("DNS, SRV records", (clock, random): SourceDriver => {
  const dns = createFakeDns();
  const name = "_grpc._tcp.mnist.test";
  const target = { kind: "srv", text: "srv:", service: name, name, servers: [dnsServer] } as const;
  dns.servers.set(dnsServer.host, serverFails);
  return {
    source: createDnsSource(target, { ...options(clock, random), ask: dns.ask }),
    bounds: dnsBounds,
    asked: () => dns.asked.length,
    mute() {
      dns.servers.set(dnsServer.host, "never");
    },
    // A hundredth of the smallest.
    weightThere: (weight) => (weight === 0 ? 0.5 : weight),
    list(instances) {
      dns.servers.clear();
      dns.zone.clear();
      const targetOf = ({ host }: Instance): string => `${host.replaceAll(".", "-")}.test`;
      const answers = instances.map((instance) => service(name, targetOf(instance), instance));
      if (answers.length > 0) dns.zone.set(`SRV ${name}`, answers);
      for (const instance of instances) {
        dns.zone.set(`A ${targetOf(instance)}`, [address(targetOf(instance), instance.host)]);
      }
    },
    fail() {
      dns.servers.set(dnsServer.host, serverFails);
    },
  };
});

describeSource("file", (clock, random): SourceDriver => {
  const files = createFakeFiles();
  const target = {
    kind: "file",
    text: "file:///lists/mnist.json",
    service: "mnist",
    path: "/lists/mnist.json",
  } as const;
  return {
    source: createFileSource(target, { ...options(clock, random), files }),
    bounds: { firstMs: 5_000, noticeMs: 5_000, backMs: 5_000, confirmMs: 5_000 },
    leftOpen: () => files.watches,
    list(instances) {
      files.content = easBody(itemsOf(instances));
      files.event("mnist.json");
    },
    fail() {
      files.content = new Error("EIO: i/o error");
    },
  };
});

/** A directory that sends whole lists whatever it is asked, or differences as soon as it has sent a list. */
function directoryDriver(clock: FakeClock, random: Random, differences: boolean): SourceDriver {
  const directories = createFakeDirectories();
  let said: Partial<UpstreamList> | undefined;
  let version = 0;
  let muted = false;
  const { repeatMs, doubtMs } = differences ? differenceRhythm : wholeListRhythm;
  const directory = { host: "127.0.0.1", port: 8100 };
  const source = createDirectorySource(
    { kind: "directory", text: "directory://d/mnist", service: "mnist", directories: [directory] },
    { ...options(clock, random), connect: (instance) => repeating(directories.connect(instance)) },
  );

  /** As a directory does: says what it knows at once, and again and again. */
  function repeating(transport: Transport): Transport {
    return {
      ...transport,
      start(start, listener) {
        const attempt = transport.start(start, listener);
        const watch = directories.last;
        let cancelTimer: CancelTimer = () => {};
        let told = "";
        const repeat = (): void => {
          if (watch?.open !== true) return;
          const now = String(version);
          if (said !== undefined && !muted) {
            if (differences && told === now) {
              watch.sendDifference(now, { version: now, instances: [], removed: [] });
            } else watch.send({ ...said, version: now });
            told = now;
          }
          cancelTimer = clock.after(repeatMs, repeat, { background: true });
        };
        queueMicrotask(repeat);
        return {
          send: (message) => attempt.send(message),
          halfClose: () => attempt.halfClose(),
          read: () => attempt.read(),
          cancel(code, message) {
            cancelTimer();
            attempt.cancel(code, message);
          },
        };
      },
    };
  }

  function say(list: Partial<UpstreamList>): void {
    const before = said?.instances;
    const since = String(version);
    version += 1;
    said = list;
    muted = false;
    directories.refusal = undefined;
    const { instances } = list;
    if (!differences || before === undefined || instances === undefined) {
      directories.last?.send({ ...list, version: String(version) });
      return;
    }
    const keys = new Set(instances.map(({ key }) => key));
    const removed = before.map(({ key }) => key).filter((key) => !keys.has(key));
    directories.last?.sendDifference(since, { version: String(version), instances, removed });
  }

  directories.refusal = {};
  return {
    source,
    bounds: {
      firstMs: 5_000,
      noticeMs: 50,
      backMs: 17_000,
      confirmMs: repeatMs,
      silenceMs: doubtMs,
    },
    joinedThere: true,
    asked: () => directories.watches.length,
    leftOpen: () => directories.openTransports,
    mute() {
      directories.refusal = undefined;
      muted = true;
    },
    list: (instances) => say({ instances }),
    fail() {
      directories.refusal = {};
      directories.last?.end();
    },
    forget: () => say({ known: false }),
  };
}

describeSource("directory", (clock, random) => directoryDriver(clock, random, true));

describeSource("directory that knows no differences", (clock, random) =>
  directoryDriver(clock, random, false),
);

describeSource("Kubernetes", (clock, random): SourceDriver => {
  const kubernetes = createKubernetesPorts(clock);
  kubernetes.unreachable = true;
  return {
    source: sourceOver(kubernetes, clock, { random }),
    bounds: {
      firstMs: 10_000,
      noticeMs: 100,
      backMs: 46_000,
      confirmMs: 60_000,
      silenceMs: 120_000,
    },
    asked: () => kubernetes.requests,
    leftOpen: () => kubernetes.api.watching,
    mute() {
      kubernetes.unreachable = false;
      kubernetes.mute = true;
    },
    weightThere: () => DEFAULT_WEIGHT,
    list(instances) {
      kubernetes.unreachable = false;
      kubernetes.mute = false;
      const hosts = instances.map(({ host }) => host);
      kubernetes.store.put(sliceOf("mnist-a", hosts, { port: 80 }));
    },
    fail() {
      kubernetes.unreachable = true;
      kubernetes.api.endWatches("reset");
    },
  };
});

describeSource("etcd", (clock, random): SourceDriver => {
  const etcd = new FakeEtcd();
  etcd.refusal = {};
  const target = parseTarget("etcd://e:2379/services/mnist");
  if (target.kind !== "etcd") throw new Error(target.kind);
  let keys: readonly string[] = [];
  return {
    source: createEtcdSource(target, { ...options(clock, random), connect: etcd.connect }),
    bounds: { firstMs: 5_000, noticeMs: 50, backMs: 8_600, confirmMs: 300, silenceMs: 1_000 },
    asked: () => etcd.calls.length,
    leftOpen: () => etcd.openTransports,
    mute() {
      etcd.refusal = undefined;
      etcd.silent = true;
    },
    list(instances) {
      const writes = Object.fromEntries<string | undefined>(keys.map((key) => [key, undefined]));
      for (const instance of instances) {
        const value = Buffer.from(namingValueFromInstance(instance)).toString();
        writes[`${target.prefix}${instance.key}`] = value;
      }
      keys = Object.keys(writes);
      etcd.silent = false;
      if (keys.length > 0) etcd.write(writes);
      etcd.refusal = undefined;
    },
    fail() {
      etcd.refusal = {};
      etcd.drop();
    },
  };
});
