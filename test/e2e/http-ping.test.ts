import { afterEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { systemClock } from "../../src/core/ports.js";
import { createHttpTransport } from "../../src/transport/http-transport.js";
import type { ClientTls, Transport } from "../../src/transport/transport.js";
import { createCertificates } from "../support/certificates.js";
import { attemptOnce } from "../support/client-attempt.js";
import {
  closedPort,
  startClosingServer,
  startHttpServer,
  startMuteServer,
  startRawServer,
} from "../support/client-sockets.js";
import { startTestHost } from "../support/hosts.js";
import { exchangeRaw } from "../support/raw-http.js";
import { until } from "../support/until.js";

const transports: Transport[] = [];

afterEach(() => {
  for (const transport of transports.splice(0)) transport.close();
});

function transportTo(port: number, tls?: ClientTls): Transport {
  const transport = createHttpTransport(instanceOf({ host: "127.0.0.1", port }), {
    tls,
    maxMessageBytes: 1_000,
    connectTimeoutMs: 2_000,
    clock: systemClock,
  });
  transports.push(transport);
  return transport;
}

function ping(transport: Transport, timeoutMs = 5_000): Promise<boolean> {
  return new Promise((resolve) => transport.health?.ping(timeoutMs, resolve));
}

describe("createHttpTransport: signs of life", () => {
  it.each([200, 401, 404, 405, 501, 503])("an answer with %i is one", async (status) => {
    const seen: unknown[] = [];
    await using server = await startHttpServer(({ method, url, headers }, _body, response) => {
      seen.push([method, url, headers.host, headers.authorization]);
      response.writeHead(status).end();
    });
    expect(await ping(transportTo(server.port))).toBe(true);
    expect(seen).toEqual([["OPTIONS", "*", `127.0.0.1:${server.port}`, undefined]]);
    await until(() => server.open() === 0);
  });

  it("an answer that is cut or never ends is one", async () => {
    await using server = await startRawServer((socket) => socket.write("HTTP/1.1 200 OK\r\nx: "));
    expect(await ping(transportTo(server.port))).toBe(true);
    await until(() => server.open() === 0);
  });

  it("a connection that is accepted is none", async () => {
    await using server = await startMuteServer();
    expect(await ping(transportTo(server.port), 100)).toBe(false);
    await until(() => server.open() === 0);
  });

  it("a connection that is refused, ended or reset is one: somebody is there for it", async () => {
    expect(await ping(transportTo(await closedPort()))).toBe(true);
    await using closing = await startClosingServer();
    expect(await ping(transportTo(closing.port))).toBe(true);
    await using resetting = await startRawServer((socket) => socket.resetAndDestroy());
    expect(await ping(transportTo(resetting.port))).toBe(true);
  });

  it("a name that leads nowhere is none", async () => {
    const transport = createHttpTransport(instanceOf({ host: "does-not-exist.invalid", port: 1 }), {
      tls: undefined,
      maxMessageBytes: 1_000,
      connectTimeoutMs: 5_000,
      clock: systemClock,
    });
    transports.push(transport);
    expect(await ping(transport)).toBe(false);
  });

  it("are asked for over TLS, on one connection, and a certificate that is not trusted is one", async () => {
    const { ca, server: tls } = createCertificates();
    const ports = new Set<number | undefined>();
    await using server = await startHttpServer(({ socket }, _body, response) => {
      ports.add(socket.remotePort);
      response.end("behind it");
    }, tls);
    const transport = transportTo(server.port, { ca });
    for (let n = 0; n < 5; n++) expect(await ping(transport)).toBe(true);
    expect([ports.size, server.open()]).toEqual([1, 1]);
    server.drop();
    await until(() => server.open() === 0);
    expect(await ping(transport)).toBe(true);
    transport.close();
    await until(() => server.open() === 0);
    expect(await ping(transportTo(server.port))).toBe(true);
  });

  it("leave state and connections alone, whatever comes of them", async () => {
    let mute = false;
    await using server = await startHttpServer(({ method }, body, response) => {
      if (method === "POST" || !mute) response.end(body);
    });
    const transport = transportTo(server.port);
    expect(await ping(transport)).toBe(true);
    expect(transport.state).toBe("idle");
    await attemptOnce(transport);
    const states: string[] = [];
    transport.onState((state) => states.push(state));
    mute = true;
    const [alive, { end }] = await Promise.all([ping(transport, 100), attemptOnce(transport)]);
    expect([alive, end.reason, transport.state, states]).toEqual([false, undefined, "ready", []]);
    await until(() => server.open() === 1);
  });

  it("are waited for no longer once the transport is closed", async () => {
    await using server = await startMuteServer();
    const transport = transportTo(server.port);
    const asked = ping(transport, 60_000);
    await until(() => server.open() === 1);
    transport.close();
    expect(await asked).toBe(false);
    expect(await ping(transport)).toBe(false);
    await until(() => server.open() === 0);
  });

  it("are given by a host of the kit without a token, in any state, and start nothing", async () => {
    let calls = 0;
    const { port } = await startTestHost(
      {
        process(data) {
          calls++;
          return data;
        },
      },
      { token: "secret" },
    );
    expect(await ping(transportTo(port))).toBe(true);
    const { text } = await exchangeRaw(
      port,
      "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    expect(text.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
    expect(calls).toBe(0);
  });
});
