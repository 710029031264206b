import { type Instance, instanceOf } from "../../src/core/instance.js";
import { type CancelTimer, silentLogger } from "../../src/core/ports.js";
import { createDirectorySource } from "../../src/resolve/directory-source.js";
import { createHttpSource } from "../../src/resolve/http-source.js";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import { createStaticSource } from "../../src/resolve/static-source.js";
import type { HttpTarget } from "../../src/resolve/target-kind.js";
import { createVipserverSource } from "../../src/resolve/vipserver-source.js";
import type { HttpGet } from "../../src/transport/http-get.js";
import type { Transport } from "../../src/transport/transport.js";
import type { UpstreamList } from "../../src/wire/upstream.js";
import { createFakeDirectories } from "../support/directory-fake-transport.js";
import type { FakeClock } from "../support/fake-clock.js";
import { createScriptedServer, easBody } from "../support/source-http-server.js";
import { describeSource, type SourceDriver } from "./source-suite.js";

const url = "http://directory/api/v1/servicediscovery/upstreams/mnist";

const httpTarget: HttpTarget = { kind: "http", text: url, service: "mnist", directories: [[url]] };

function itemsOf(instances: readonly Instance[]): readonly object[] {
  return instances.map(({ host: ip, port, weight }) => ({ ip, port, weight }));
}

function options(clock: FakeClock): SourceOptions {
  return { clock, logger: silentLogger, random: () => 0.5, pollIntervalMs: 5_000 };
}

describeSource("static", (clock) => {
  const instances = [
    instanceOf({ host: "10.0.0.1", port: 80 }),
    instanceOf({ host: "10.0.0.2", port: 80, weight: 50 }),
  ];
  const target = { kind: "static", text: "a,b", service: "a,b", instances } as const;
  return { source: createStaticSource(target, options(clock)), list() {} };
});

describeSource("http", (clock): SourceDriver => {
  const server = createScriptedServer({ status: 500 });
  return {
    source: createHttpSource(httpTarget, { ...options(clock), get: server.get }),
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

describeSource("http with tags", (clock): SourceDriver => {
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
    source: createHttpSource(httpTarget, { ...options(clock), get }),
    list(instances) {
      body = easBody(itemsOf(instances));
    },
    fail() {
      body = undefined;
    },
  };
});

describeSource("http, one of several directories", (clock): SourceDriver => {
  const unknowing = createScriptedServer({ status: 404 });
  const server = createScriptedServer({ status: 500 });
  const get: HttpGet = (request) =>
    request.url === url ? server.get(request) : unknowing.get(request);
  const directories = [["http://other/a", "http://other/b"], [url]];
  return {
    source: createHttpSource({ ...httpTarget, directories }, { ...options(clock), get }),
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

describeSource("VIPServer", (clock): SourceDriver => {
  const server = createScriptedServer({ status: 500 });
  const servers = createScriptedServer({ status: 200, body: "10.1.0.1\n10.1.0.2\n" });
  const get: HttpGet = (request) =>
    request.url.endsWith("/serverlist") ? servers.get(request) : server.get(request);
  const target = { kind: "vipserver", domain: "mnist", serverList: "list:8080" } as const;
  return {
    source: createVipserverSource(target, { ...options(clock), get }),
    list(instances) {
      server.answer = { status: 200, body: JSON.stringify({ hosts: itemsOf(instances) }) };
    },
    fail() {
      server.answer = { status: 500 };
    },
  };
});

describeSource("directory", (clock): SourceDriver => {
  const directories = createFakeDirectories();
  let said: Partial<UpstreamList> | undefined;
  const directory = { host: "127.0.0.1", port: 8100 };
  const source = createDirectorySource(
    { kind: "directory", text: "directory://d/mnist", service: "mnist", directories: [directory] },
    { ...options(clock), connect: (instance) => repeating(directories.connect(instance)) },
  );

  /** As a directory does: says what it knows at once, and again every 10 s. */
  function repeating(transport: Transport): Transport {
    return {
      ...transport,
      start(start, listener) {
        const attempt = transport.start(start, listener);
        const watch = directories.last;
        let cancelTimer: CancelTimer = () => {};
        const repeat = (): void => {
          if (watch?.open !== true) return;
          if (said !== undefined) watch.send(said);
          cancelTimer = clock.after(10_000, repeat, { background: true });
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
    said = list;
    directories.refusal = undefined;
    directories.last?.send(list);
  }

  directories.refusal = {};
  return {
    source,
    list: (instances) => say({ instances }),
    fail() {
      directories.refusal = {};
      directories.last?.end();
    },
    forget: () => say({ known: false }),
  };
});
