import { constants, type ServerHttp2Stream } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { Metadata } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { metadataOf } from "../../src/core/metadata.js";
import { systemClock } from "../../src/core/ports.js";
import { Status } from "../../src/core/status.js";
import { grpcMetadataView } from "../../src/transport/grpc-metadata.js";
import { createGrpcTransport } from "../../src/transport/grpc-transport.js";
import { createSpreadTransport } from "../../src/transport/spread-transport.js";
import type { Transport, TransportState } from "../../src/transport/transport.js";
import { encodeLoadReport } from "../../src/wire/load-report.js";
import { attemptOnce } from "../support/client-attempt.js";
import {
  endWithStatus,
  type OddServer,
  refuseStream,
  startClosingServer,
  startHttp2Server,
  startMuteServer,
} from "../support/client-sockets.js";
import { testTransport } from "./transport-suite.js";

// What grpc-js really says of each failure: an upgrade that changes a text or a code breaks one of these.

const transports: Transport[] = [];

function transportTo(port: number, connectTimeoutMs = 300): Transport {
  const transport = createGrpcTransport(instanceOf({ host: "127.0.0.1", port }), {
    tls: undefined,
    maxMessageBytes: 1_000,
    pingIntervalMs: 0,
    connectTimeoutMs,
  });
  transports.push(transport);
  return transport;
}

const plain = { tls: undefined, maxMessageBytes: 1_000, pingIntervalMs: 0 };
const servers = {
  startSilent: () => startHttp2Server(() => {}),
  startRefusing: () => startHttp2Server((stream) => endWithStatus(stream, { "grpc-status": "12" })),
};

testTransport({
  name: "createGrpcTransport",
  create: (instance) => createGrpcTransport(instance, plain),
  ...servers,
});

testTransport({
  name: "createSpreadTransport",
  create: (instance) =>
    createSpreadTransport(instance, (one) => createGrpcTransport(one, plain), systemClock),
  ...servers,
});

afterEach(() => {
  for (const transport of transports.splice(0)) transport.close();
});

async function endOf(
  onStream: (stream: ServerHttp2Stream, server: OddServer) => void,
  timeoutMs?: number,
) {
  await using server = await startHttp2Server((stream) => onStream(stream, server));
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  return (await attemptOnce(transportTo(server.port), options)).end;
}

describe("createGrpcTransport: attempts that never left", () => {
  const neverLeft = { code: Status.UNAVAILABLE, reason: "CONNECT_FAILED", remote: false };

  it("says CONNECT_FAILED when the peer closes at once", async () => {
    await using server = await startClosingServer();
    const { end } = await attemptOnce(transportTo(server.port));
    expect(end).toMatchObject(neverLeft);
  });

  it("says CONNECT_FAILED after connectTimeoutMs when the peer is mute, and drops the socket", async () => {
    await using server = await startMuteServer();
    const transport = transportTo(server.port, 200);
    const started = performance.now();
    const { end } = await attemptOnce(transport);
    expect(end).toMatchObject(neverLeft);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(end.message).toContain("timed out after 200ms");
    transport.close();
    // grpc-js has begun to connect again: that socket goes when its own time is over.
    while (server.open() > 0) await sleep(5);
  });

  it("says CONNECT_FAILED when the transport is closed while it connects", async () => {
    await using server = await startMuteServer();
    const transport = transportTo(server.port, 5_000);
    const { end } = await attemptOnce(transport, {
      onStarted: () => setTimeout(() => transport.close(), 50),
    });
    expect(end).toMatchObject(neverLeft);
  });
});

describe("createGrpcTransport: attempts that left", () => {
  it("says CALL_REFUSED for a stream that the server refuses", async () => {
    const end = await endOf(refuseStream);
    expect(end).toMatchObject({ code: Status.UNAVAILABLE, reason: "CALL_REFUSED", remote: false });
  });

  it("says CONNECTION_LOST when the connection breaks before an answer", async () => {
    const end = await endOf((_stream, server) => server.drop());
    expect(end).toMatchObject({
      code: Status.UNAVAILABLE,
      reason: "CONNECTION_LOST",
      remote: false,
    });
  });

  it("says CONNECTION_LOST when the connection breaks after headers", async () => {
    const end = await endOf((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      setTimeout(() => stream.session?.destroy(), 20);
    });
    expect(end).toMatchObject({ reason: "CONNECTION_LOST", remote: false });
  });

  it("says CONNECTION_LOST when the connection is reset", async () => {
    const end = await endOf((_stream, server) => server.drop("reset"));
    expect(end).toMatchObject({ reason: "CONNECTION_LOST", remote: false });
  });

  it("says CONNECTION_LOST, not CANCELLED, when the server cancels the stream", async () => {
    const lost = { code: Status.UNAVAILABLE, reason: "CONNECTION_LOST", remote: false };
    expect(await endOf((stream) => stream.close(constants.NGHTTP2_CANCEL))).toMatchObject(lost);
    const byForce = await endOf((stream) => stream.session?.destroy(undefined, 8));
    expect(byForce).toMatchObject(lost);
  });

  it("says CALL_FAILED with grpc-js's code when the server resets the stream for another reason", async () => {
    const end = await endOf((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    expect(end).toMatchObject({ code: Status.INTERNAL, reason: "CALL_FAILED", remote: false });
    const calm = await endOf((stream) => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
    expect(calm).toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: "CALL_FAILED" });
  });

  it("says MESSAGE_TOO_LARGE for an answer or request above the limit", async () => {
    const large = await endOf((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      const frame = Buffer.alloc(5 + 2_000);
      frame.writeUInt32BE(2_000, 1);
      stream.write(frame);
    });
    expect(large).toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE" });
    await using server = await startHttp2Server(() => {});
    const end = await new Promise((onEnd) => {
      const metadata = metadataOf({});
      const attempt = transportTo(server.port).start(
        { path: "/a/b", metadata, timeoutMs: 5_000, previousAttempts: 0 },
        { onHeaders() {}, onMessage() {}, onEnd },
      );
      attempt.send(Buffer.alloc(2_000));
    });
    expect(end).toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE" });
  });
});

describe("createGrpcTransport: statuses of the instance", () => {
  const status = { "grpc-status": "14", "grpc-message": "Connection dropped" };

  it.each([false, true])("takes it for remote, headers first %s", async (headersFirst) => {
    const end = await endOf((stream) =>
      endWithStatus(stream, { ...status, "grpc-message": "busy" }, headersFirst),
    );
    expect(end).toMatchObject({ code: 14, reason: "CALL_FAILED", remote: true, message: "busy" });
  });

  it("is not fooled by grpc-js's own words in a status of the instance", async () => {
    expect(await endOf((stream) => endWithStatus(stream, status))).toMatchObject({ remote: true });
    const words = { "grpc-status": "14", "grpc-message": "No connection established" };
    expect(await endOf((stream) => endWithStatus(stream, words, true))).toMatchObject({
      reason: "CALL_FAILED",
      remote: true,
    });
  });

  it("takes the reason from the trailer when the catalogue has it", async () => {
    const full = { "grpc-status": "14", "inferwire-reason": "QUEUE_FULL" };
    for (const headersFirst of [false, true]) {
      const end = await endOf((stream) => endWithStatus(stream, full, headersFirst));
      expect(end).toMatchObject({ reason: "QUEUE_FULL", remote: true });
    }
    const odd = { "grpc-status": "14", "inferwire-reason": "toString" };
    expect(await endOf((stream) => endWithStatus(stream, odd))).toMatchObject({
      reason: "CALL_FAILED",
    });
  });

  it("takes an HTTP error for the instance's", async () => {
    const end = await endOf((stream) =>
      stream.respond({ ":status": 503, "content-type": "text/html" }, { endStream: true }),
    );
    expect(end).toMatchObject({ code: Status.UNAVAILABLE, reason: "CALL_FAILED", remote: true });
  });
});

describe("createGrpcTransport: loads", () => {
  async function loadOf(bytes: Uint8Array, loadReports: boolean, headersFirst: boolean) {
    await using server = await startHttp2Server((stream) => {
      const load = Buffer.from(bytes).toString("base64");
      const status = { "grpc-status": headersFirst ? "0" : "5", "endpoint-load-metrics-bin": load };
      endWithStatus(stream, status, headersFirst);
    });
    const instance = instanceOf({ host: "127.0.0.1", port: server.port });
    const transport = createGrpcTransport(instance, { ...plain, loadReports });
    transports.push(transport);
    return (await attemptOnce(transport)).end.load;
  }
  const report = { utilization: 0.5, callsPerSecond: 20, failuresPerSecond: 1 };

  it("hands over the report behind an answer or a refusal, when it is wanted", async () => {
    const bytes = encodeLoadReport(report);
    expect(await loadOf(bytes, true, true)).toEqual(report);
    expect(await loadOf(bytes, true, false)).toEqual(report);
    expect(await loadOf(bytes, false, true)).toBeUndefined();
  });

  it("hands over none that makes no sense", async () => {
    const endless = { ...report, utilization: Number.POSITIVE_INFINITY };
    expect(await loadOf(encodeLoadReport(endless), true, true)).toBeUndefined();
    expect(await loadOf(Buffer.from("no report"), true, true)).toBeUndefined();
  });
});

describe("createGrpcTransport: connection", () => {
  it("goes idle, connecting, ready, and idle again when the connection breaks", async () => {
    await using server = await startHttp2Server(() => {});
    const transport = transportTo(server.port);
    const states: TransportState[] = [];
    const seen = (state: TransportState) =>
      new Promise<void>((resolve) => {
        const stop = transport.onState((now) => {
          states.push(now);
          if (now !== state) return;
          stop();
          resolve();
        });
      });
    expect(transport.state).toBe("idle");
    const ready = seen("ready");
    transport.connect();
    await ready;
    const idle = seen("idle");
    server.drop();
    await idle;
    expect(states).toEqual(["connecting", "ready", "idle"]);
  });

  it("lets the attempt under way end before the connection closes", async () => {
    await using server = await startHttp2Server((stream) => {
      setTimeout(() => endWithStatus(stream, { "grpc-status": "5" }), 100);
    });
    const transport = transportTo(server.port);
    const { end } = await attemptOnce(transport, {
      onStarted: () => setTimeout(() => transport.close(), 50),
    });
    expect(end).toMatchObject({ code: Status.NOT_FOUND, remote: true });
    while (server.open() > 0) await sleep(5);
  });

  it("sends no deadline for one that no timer can count", async () => {
    const sent: (string | undefined)[] = [];
    await using server = await startHttp2Server((stream) => {
      stream.session?.on("error", () => {});
      endWithStatus(stream, { "grpc-status": "5" });
    });
    for (const timeoutMs of [Number.POSITIVE_INFINITY, 1e15, 2 ** 31, 60_000]) {
      const { end } = await attemptOnce(transportTo(server.port), { timeoutMs });
      sent.push(String(end.code));
    }
    expect(sent).toEqual(["5", "5", "5", "5"]);
  });

  it("says how many attempts went before, without touching the metadata of the call", async () => {
    const seen: unknown[] = [];
    await using server = await startHttp2Server((stream, headers) => {
      seen.push(headers["grpc-previous-rpc-attempts"]);
      endWithStatus(stream, { "grpc-status": "5" });
    });
    const transport = transportTo(server.port);
    const metadata = grpcMetadataView(new Metadata());
    for (const previousAttempts of [0, 2, 0]) {
      await new Promise((onEnd) => {
        const start = { path: "/a/b", metadata, timeoutMs: 5_000, previousAttempts };
        transport.start(start, { onHeaders() {}, onMessage() {}, onEnd }).halfClose();
      });
    }
    expect(seen).toEqual([undefined, "2", undefined]);
  });
});
