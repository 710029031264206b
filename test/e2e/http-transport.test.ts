import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createSecureContext, type TlsOptions } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { metadataOf, metadataText } from "../../src/core/metadata.js";
import { systemClock } from "../../src/core/ports.js";
import { Status } from "../../src/core/status.js";
import { createHttpTransport } from "../../src/transport/http-transport.js";
import type { ClientTls, Transport } from "../../src/transport/transport.js";
import { type Certificates, createCertificates } from "../support/certificates.js";
import { type AttemptTrace, attemptOnce } from "../support/client-attempt.js";
import { runScript } from "../support/client-child.js";
import {
  closedPort,
  type OddServer,
  startHttpServer,
  startMuteServer,
  startRawServer,
} from "../support/client-sockets.js";
import { testTransport } from "./transport-suite.js";

const transports: Transport[] = [];
const LIMIT_BYTES = 100_000;

interface Setting {
  readonly host?: string;
  readonly tls?: ClientTls;
  readonly connectTimeoutMs?: number;
  readonly loadReports?: boolean;
}

function transportTo(port: number, setting: Setting = {}): Transport {
  const { host = "127.0.0.1", tls, connectTimeoutMs = 2_000, loadReports = false } = setting;
  const transport = createHttpTransport(instanceOf({ host, port }), {
    tls,
    maxMessageBytes: LIMIT_BYTES,
    connectTimeoutMs,
    loadReports,
    clock: systemClock,
  });
  transports.push(transport);
  return transport;
}

afterEach(() => {
  for (const transport of transports.splice(0)) transport.close();
});

function startEcho(tls?: TlsOptions): Promise<OddServer> {
  return startHttpServer((_request, body, response) => response.end(body), tls);
}

const said = ({ messages }: AttemptTrace): string => Buffer.concat(messages).toString();

testTransport({
  name: "createHttpTransport",
  create: (instance) =>
    createHttpTransport(instance, {
      tls: undefined,
      maxMessageBytes: LIMIT_BYTES,
      connectTimeoutMs: 2_000,
      clock: systemClock,
    }),
  startSilent: () => startHttpServer(() => {}),
  startRefusing: () =>
    startHttpServer((_request, _body, response) => {
      response.statusCode = 501;
      response.end();
    }),
});

describe("createHttpTransport: requests and answers", () => {
  it("sends a POST with target, headers and body as they are, and hands back headers and body", async () => {
    const seen: unknown[] = [];
    await using server = await startHttpServer(({ method, url, headers }, body, response) => {
      const { host, "x-test": test, "content-length": length } = headers;
      seen.push({ method, url, test, length, host, body: String(body) });
      response.setHeader("X-Answer", "Yes").end("done");
    });
    const path = "/api/predict/x/v1?q=1&flag";
    const trace = await attemptOnce(transportTo(server.port), { path });
    expect(seen).toEqual([
      {
        ...{ method: "POST", url: path, test: "1", length: "5", body: "hello" },
        host: `127.0.0.1:${server.port}`,
      },
    ]);
    expect(trace).toMatchObject({ headers: 1, end: { code: Status.OK, remote: true } });
    expect(said(trace)).toBe("done");
  });

  it("reads answers in pieces, of known and unknown length, empty, and behind an early one", async () => {
    await using server = await startHttpServer(({ url }, _body, response) => {
      if (url === "/early") response.writeProcessing();
      if (url === "/known") response.setHeader("content-length", 6);
      if (url === "/empty") response.end();
      else {
        response.write("abc");
        setTimeout(() => response.end("def"), 20);
      }
    });
    const transport = transportTo(server.port);
    for (const path of ["/known", "/unknown", "/early"]) {
      const trace = await attemptOnce(transport, { path });
      expect(trace.messages.map(String)).toEqual(["abcdef"]);
    }
    expect((await attemptOnce(transport, { path: "/empty" })).messages.map(String)).toEqual([""]);
  });

  it("finds headers whatever their case", async () => {
    await using server = await startHttpServer((_request, _body, response) =>
      response.writeHead(500, { "X-One": "1", "x-two": ["2", "3"] }).end(),
    );
    const { trailers } = (await attemptOnce(transportTo(server.port))).end;
    expect(metadataText(trailers, "x-one")).toBe("1");
    expect([...trailers.entries()].filter(([name]) => name === "x-two")).toHaveLength(2);
    expect(trailers.get("x-three")).toBeUndefined();
  });

  it.each([
    ["a header of the connection", "/a", { "content-length": "5" }],
    ["the instance's own name", "/a", { host: "other" }],
    ["a value with a blank at its end", "/a", { "x-a": "1 " }],
    ["bytes", "/a", { "x-bin": new Uint8Array(1) }],
    ["an upper-case name", "/a", { "X-A": "1" }],
    ["a target without a slash", "a", {}],
    ["a target with a blank", "/a b", {}],
    ["a target with a line end", "/a\r\nx: y", {}],
  ])("refuses %s", (_name, path, headers) => {
    const listener = { onHeaders() {}, onMessage() {}, onEnd() {} };
    const start = { path, metadata: metadataOf(headers), timeoutMs: 1_000, previousAttempts: 0 };
    expect(() => transportTo(1).start(start, listener)).toThrow(
      expect.objectContaining({ reason: "INVALID_OPTION" }),
    );
  });

  it("reads what an instance says of its load, when told to", async () => {
    const says: (string | string[])[] = [
      "TEXT application_utilization=0.5, rps_fractional=20, eps=1",
      'JSON {"application_utilization": 0.5, "rps_fractional": 20, "eps": 1}',
      ["TEXT application_utilization=0.5, rps_fractional=20, eps=1", "TEXT rps_fractional=9"],
      "TEXT application_utilization=NaN",
      "TEXT application_utilization=-1",
      "x".repeat(15_000),
    ];
    const statuses = [200, 503];
    let answers = 0;
    await using server = await startHttpServer((_request, _body, response) => {
      const said = says[Math.floor(answers / 2)] ?? "";
      response.setHeader("endpoint-load-metrics", said);
      response.writeHead(statuses[answers++ % 2] ?? 0).end();
    });
    const told = { utilization: 0.5, callsPerSecond: 20, failuresPerSecond: 1 };
    const transport = transportTo(server.port, { loadReports: true });
    for (const expected of [told, told, told, undefined, undefined, undefined]) {
      for (const status of statuses) {
        const { end } = await attemptOnce(transport);
        expect([end.http?.status ?? 200, end.load]).toEqual([status, expected]);
      }
    }
    answers = 0;
    expect((await attemptOnce(transportTo(server.port))).end).not.toHaveProperty("load");
  });

  it("follows no redirect", async () => {
    let followed = 0;
    await using other = await startHttpServer(() => followed++);
    await using server = await startHttpServer((_request, _body, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${other.port}/` }).end(),
    );
    const { end } = await attemptOnce(transportTo(server.port));
    expect(end).toMatchObject({ reason: "CALL_FAILED", remote: true, http: { status: 302 } });
    expect(followed).toBe(0);
  });

  it("hands an answer that is no 200 over with its body", async () => {
    await using server = await startHttpServer((_request, _body, response) =>
      response.writeHead(500).end("the model\nis gone"),
    );
    const trace = await attemptOnce(transportTo(server.port));
    expect(trace).toMatchObject({ headers: 0, messages: [] });
    expect(trace.end).toMatchObject({
      code: Status.INTERNAL,
      message: "HTTP 500: the model is gone",
      http: { status: 500, body: Buffer.from("the model\nis gone") },
    });
  });
});

describe("createHttpTransport: what is too large", () => {
  it("says MESSAGE_TOO_LARGE for an answer above the limit, whatever it says of its length", async () => {
    await using server = await startHttpServer(({ url }, _body, response) => {
      if (url === "/known") response.setHeader("content-length", LIMIT_BYTES + 1);
      else response.flushHeaders();
      response.end(Buffer.alloc(LIMIT_BYTES + 1));
    });
    for (const path of ["/known", "/unknown"]) {
      const { end } = await attemptOnce(transportTo(server.port), { path });
      expect(end).toMatchObject({ reason: "MESSAGE_TOO_LARGE", remote: false });
    }
  });

  it("takes one at the limit", async () => {
    await using server = await startHttpServer((_request, _body, response) =>
      response.end(Buffer.alloc(LIMIT_BYTES)),
    );
    const { messages } = await attemptOnce(transportTo(server.port));
    expect(messages[0]).toHaveLength(LIMIT_BYTES);
  });

  it("cuts an error's body, and keeps its status", async () => {
    await using server = await startHttpServer((_request, _body, response) =>
      response.writeHead(500).end(Buffer.alloc(2 * LIMIT_BYTES, "x")),
    );
    const { end } = await attemptOnce(transportTo(server.port));
    expect(end).toMatchObject({ reason: "CALL_FAILED", remote: true, http: { status: 500 } });
    expect(end.http?.body.length).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  it("does not send a request above the limit", async () => {
    let requests = 0;
    await using server = await startHttpServer(() => requests++);
    const end = await new Promise((onEnd) => {
      const start = { path: "/", metadata: metadataOf({}), timeoutMs: 5_000, previousAttempts: 0 };
      const listener = { onHeaders() {}, onMessage() {}, onEnd };
      const attempt = transportTo(server.port).start(start, listener);
      attempt.send(Buffer.alloc(LIMIT_BYTES + 1));
      attempt.halfClose();
    });
    expect(end).toMatchObject({ reason: "MESSAGE_TOO_LARGE", remote: false });
    expect(requests).toBe(0);
  });
});

describe("createHttpTransport: connections that break", () => {
  const head = "HTTP/1.1 200 OK\r\n";
  it.each<[string, number, (socket: Socket) => void]>([
    ["before an answer", 0, (socket) => socket.destroy()],
    ["before an answer, with a reset", 0, (socket) => socket.resetAndDestroy()],
    ["half through the headers", 0, (socket) => socket.end(`${head}content-le`)],
    ["half through a body", 1, (socket) => socket.end(`${head}content-length: 10\r\n\r\nabc`)],
    [
      "half through the pieces",
      1,
      (socket) => socket.end(`${head}transfer-encoding: chunked\r\n\r\n5\r\nab`),
    ],
    [
      "half through the last body of a connection",
      1,
      (socket) => socket.end(`${head}connection: close\r\ncontent-length: 10\r\n\r\nabc`),
    ],
    [
      "half through the last pieces of a connection",
      1,
      (socket) =>
        socket.end(`${head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab`),
    ],
  ])("says CONNECTION_LOST %s", async (_name, headers, onData) => {
    await using server = await startRawServer(onData);
    const transport = transportTo(server.port);
    const lost = { code: Status.UNAVAILABLE, reason: "CONNECTION_LOST", remote: false };
    const trace = await attemptOnce(transport);
    expect(trace).toMatchObject({ headers, messages: [], end: lost });
    expect(transport.state).toBe("ready");
  });

  it.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["broken headers", `${head}no header\r\n\r\n`],
    ["endless headers", `${head}x: ${"y".repeat(40_000)}\r\n\r\n`],
  ])("says ANSWER_MALFORMED for %s", async (_name, text) => {
    await using server = await startRawServer((socket) => socket.write(text));
    const { end } = await attemptOnce(transportTo(server.port));
    expect(end).toMatchObject({ code: Status.INTERNAL, reason: "ANSWER_MALFORMED", remote: false });
  });

  it("says DEADLINE_EXCEEDED for half an answer, and ends the connection", async () => {
    await using server = await startRawServer((socket) =>
      socket.write(`${head}content-length: 10\r\n\r\nabc`),
    );
    const trace = await attemptOnce(transportTo(server.port), { timeoutMs: 100 });
    expect(trace).toMatchObject({
      headers: 1,
      end: { reason: "DEADLINE_EXCEEDED", remote: false },
    });
    while (server.open() > 0) await sleep(5);
  });
});

describe("createHttpTransport: connections", () => {
  async function withPorts(
    run: (transport: Transport, ports: readonly number[], server: OddServer) => Promise<void>,
  ): Promise<void> {
    const ports: number[] = [];
    await using server = await startHttpServer(({ socket, url }, body, response) => {
      ports.push(socket.remotePort ?? 0);
      if (url === "/last") response.setHeader("connection", "close");
      setTimeout(() => response.end(body), 10);
    });
    await run(transportTo(server.port), ports, server);
  }

  it("makes one for calls one after the other, and uses it for the very first", () =>
    withPorts(async (transport, ports, server) => {
      transport.connect();
      for (let n = 0; n < 10; n++) expect(said(await attemptOnce(transport))).toBe("hello");
      expect(new Set(ports).size).toBe(1);
      expect(server.open()).toBe(1);
    }));

  it("makes as many as calls are under way, and uses them again", () =>
    withPorts(async (transport, ports, server) => {
      transport.connect();
      for (let round = 0; round < 3; round++) {
        const traces = await Promise.all(Array.from({ length: 8 }, () => attemptOnce(transport)));
        expect(traces.map(said)).toEqual(Array.from({ length: 8 }, () => "hello"));
      }
      expect(new Set(ports).size).toBe(8);
      expect(server.open()).toBe(8);
    }));

  it("goes on when the server closes behind an answer", () =>
    withPorts(async (transport, ports) => {
      for (const path of ["/last", "/last", "/", "/"]) {
        expect(said(await attemptOnce(transport, { path }))).toBe("hello");
      }
      expect(new Set(ports).size).toBe(3);
      expect(transport.state).toBe("ready");
    }));

  it("stays ready and fails no call when idle connections are closed", () =>
    withPorts(async (transport, ports, server) => {
      transport.connect();
      while (transport.state !== "ready") await sleep(5);
      for (let n = 0; n < 3; n++) {
        server.drop();
        await sleep(20);
        expect(transport.state).toBe("ready");
        expect(said(await attemptOnce(transport))).toBe("hello");
      }
      expect(new Set(ports).size).toBe(3);
    }));

  it("closes an idle connection before the server does, and makes a new one", async () => {
    let closedByClient = 0;
    await using server = await startHttpServer(({ socket }, body, response) => {
      socket.once("end", () => closedByClient++);
      response.setHeader("keep-alive", "timeout=2").end(body);
    });
    const transport = transportTo(server.port);
    for (let n = 0; n < 2; n++) {
      expect(said(await attemptOnce(transport))).toBe("hello");
      while (server.open() > 0) await sleep(20);
      expect(transport.state).toBe("ready");
    }
    expect(closedByClient).toBe(2);
  });

  it("has failed when nothing is open and no more can be opened, and can come back", async () => {
    const port = await closedPort();
    const transport = transportTo(port);
    {
      const { end } = await attemptOnce(transport);
      expect(end).toMatchObject({ reason: "CONNECT_FAILED" });
      expect(transport.state).toBe("failed");
    }
    const live = await startEcho();
    const other = transportTo(live.port);
    await attemptOnce(other);
    await live[Symbol.asyncDispose]();
    // The client hears of it in a later turn: until then the request goes to a connection that has gone.
    await sleep(20);
    const { end } = await attemptOnce(other);
    expect(end).toMatchObject({ reason: "CONNECT_FAILED", remote: false });
    expect(other.state).toBe("failed");
  });

  it("lets attempts under way end when it is closed, then closes the connections", () =>
    withPorts(async (transport, ports, server) => {
      const trace = await attemptOnce(transport, {
        path: "/slow",
        onStarted: () => {
          const look = (): void => {
            if (ports.length > 0) transport.close();
            else setTimeout(look, 1);
          };
          look();
        },
      });
      expect(said(trace)).toBe("hello");
      while (server.open() > 0) await sleep(5);
      expect((await attemptOnce(transport)).end).toMatchObject({ reason: "CONNECT_FAILED" });
    }));

  it("says of a name with several addresses why none of them could be reached", async () => {
    const transport = transportTo(await closedPort(), { host: "localhost" });
    expect((await attemptOnce(transport)).end.message).toContain("ECONNREFUSED");
  });

  it("speaks to IPv6 addresses", async () => {
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => response.end(request.headers.host));
    await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const trace = await attemptOnce(transportTo(port, { host: "::1" }));
    expect(said(trace)).toBe(`[::1]:${port}`);
    transports.at(-1)?.close();
    server.closeAllConnections();
    server.close();
  });

  it("keeps no process alive, used or not, but for a call that is under way", async () => {
    await using server = await startHttpServer(({ url }, body, response) => {
      setTimeout(() => response.end(body), url === "/slow" ? 300 : 0);
    });
    await using mute = await startMuteServer();
    const file = (name: string): string => new URL(`../../dist/src/${name}`, import.meta.url).href;
    const script = (port: number, body: string): string => `
      import { createHttpTransport } from "${file("transport/http-transport.js")}";
      import { systemClock } from "${file("core/ports.js")}";
      import { instanceOf } from "${file("core/instance.js")}";
      import { emptyMetadata } from "${file("core/metadata.js")}";
      const transport = createHttpTransport(instanceOf({ host: "127.0.0.1", port: ${port} }), {
        tls: ${port === mute.port ? "{}" : "undefined"}, maxMessageBytes: 1000, connectTimeoutMs: 60_000, clock: systemClock,
      });
      const call = (path) => new Promise((onEnd) => {
        const attempt = transport.start({ path, metadata: emptyMetadata, timeoutMs: 60_000, previousAttempts: 0 },
          { onHeaders() {}, onMessage(message) { console.log(String(message)); }, onEnd });
        attempt.send(Buffer.from(path));
        attempt.halfClose();
      });
      transport.connect();
      ${body}
    `;
    const runs = [
      [script(server.port, ""), ""],
      [script(mute.port, ""), ""],
      [script(server.port, `setTimeout(() => {}, 100);`), ""],
      [script(server.port, `await call("/slow");`), "/slow"],
      [script(server.port, `await call("/"); await call("/");`), "/\n/"],
    ] as const;
    for (const [text, output] of runs) {
      const run = await runScript(text);
      expect(run).toMatchObject({ code: 0, output });
      // Well before an idle connection's own time is over.
      expect(run.durationMs).toBeLessThan(3_500);
    }
  });
});

describe("createHttpTransport: TLS", () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = createCertificates();
  });

  const neverLeft = { code: Status.UNAVAILABLE, reason: "CONNECT_FAILED", remote: false };

  it("trusts the authority it is given, by address and by another name", async () => {
    await using server = await startEcho(certificates.server);
    const { ca } = certificates;
    for (const tls of [{ ca }, { ca, serverName: "localhost" }]) {
      const transport = transportTo(server.port, { tls });
      for (let n = 0; n < 3; n++) expect(said(await attemptOnce(transport))).toBe("hello");
    }
  });

  it("names the host to the server, or what it is told to, but no address", async () => {
    const names: string[] = [];
    const { cert, key } = certificates.server;
    await using server = await startEcho({
      cert,
      key,
      SNICallback: (name, done) => {
        names.push(name);
        done(null, createSecureContext({ cert, key }));
      },
    });
    const { ca } = certificates;
    const settings = [
      { tls: { ca } },
      { host: "localhost", tls: { ca } },
      { tls: { ca, serverName: "localhost" } },
    ];
    for (const setting of settings) {
      expect(said(await attemptOnce(transportTo(server.port, setting)))).toBe("hello");
    }
    expect(names).toEqual(["localhost", "localhost"]);
  });

  it.each<[string, (certificates: Certificates) => ClientTls]>([
    ["an unknown authority", () => ({})],
    ["another name", ({ ca }) => ({ ca, serverName: "example.test" })],
  ])("says CONNECT_FAILED for %s", async (_name, tls) => {
    await using server = await startEcho(certificates.server);
    const transport = transportTo(server.port, { tls: tls(certificates) });
    expect((await attemptOnce(transport)).end).toMatchObject(neverLeft);
    expect(transport.state).toBe("failed");
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "shows its certificate over %s, or is refused without one",
    async (version) => {
      const { ca, server: own, client } = certificates;
      let requests = 0;
      await using server = await startHttpServer(
        (_request, body, response) => {
          requests++;
          response.end(body);
        },
        { ...own, ca, requestCert: true, rejectUnauthorized: true, maxVersion: version },
      );
      const tls = { ca, ...client };
      expect(said(await attemptOnce(transportTo(server.port, { tls })))).toBe("hello");
      const refused = transportTo(server.port, { tls: { ca } });
      expect((await attemptOnce(refused)).end).toMatchObject(neverLeft);
      expect(refused.state).toBe("failed");
      const unused = transportTo(server.port, { tls: { ca } });
      unused.connect();
      while (unused.state !== "failed") await sleep(5);
      expect(requests).toBe(1);
    },
  );

  it("says CONNECT_FAILED when the other side does not speak TLS", async () => {
    await using server = await startEcho();
    const transport = transportTo(server.port, { tls: {} });
    expect((await attemptOnce(transport)).end).toMatchObject(neverLeft);
  });

  it("says CONNECT_FAILED after connectTimeoutMs when the peer is mute, or when it is closed before", async () => {
    await using server = await startMuteServer();
    const late = transportTo(server.port, { tls: {}, connectTimeoutMs: 200 });
    const { end } = await attemptOnce(late);
    expect(end).toMatchObject({ ...neverLeft, message: "no connection within 200 ms" });
    while (server.open() > 0) await sleep(5);
    const closed = transportTo(server.port, { tls: {}, connectTimeoutMs: 60_000 });
    const trace = await attemptOnce(closed, {
      onStarted: () => setTimeout(() => closed.close(), 50),
    });
    expect(trace.end).toMatchObject({ ...neverLeft, message: "the connection was closed" });
    while (server.open() > 0) await sleep(5);
  });

  it("refuses what is no certificate", () => {
    expect(() => transportTo(1, { tls: { ca: "/etc/ca.pem" } })).toThrow(/tls.ca is no PEM/);
  });
});
