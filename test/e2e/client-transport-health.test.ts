import { constants } from "node:http2";
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { createGrpcTransport } from "../../src/transport/grpc-transport.js";
import type {
  CountingTransport,
  Transport,
  TransportState,
} from "../../src/transport/transport.js";
import { healthWatchRpc } from "../../src/wire/health.js";
import { endWithStatus, startHttp2Server } from "../support/client-sockets.js";
import { startTestHost } from "../support/hosts.js";
import { until } from "../support/until.js";

const transports: Transport[] = [];

afterEach(() => {
  for (const transport of transports.splice(0)) transport.close();
});

async function watched(port: number) {
  const transport = createGrpcTransport(instanceOf({ host: "127.0.0.1", port }), {
    tls: undefined,
    maxMessageBytes: 1_000,
    pingIntervalMs: 0,
  });
  transports.push(transport);
  const states: TransportState[] = [];
  transport.onState((state) => states.push(state));
  transport.connect();
  await until(() => transport.state === "ready");
  const told: (boolean | undefined)[] = [];
  transport.health.watch((serving) => told.push(serving));
  await until(() => told.length > 0);
  return { transport, states, told };
}

function alive({ health }: CountingTransport): Promise<boolean> {
  return new Promise((resolve) => {
    health.ping(5_000, resolve);
  });
}

describe("createGrpcTransport: health", () => {
  it("hears that a host is serving, and before it drains that it is not; the drain waits for nobody", async () => {
    const host = await startTestHost({}, { preStopDelayMs: 300 });
    const { transport, told, states } = await watched(host.port);
    expect(told).toEqual([true]);
    expect(await alive(transport)).toBe(true);
    let over = false;
    // Longer than a test may take: a drain that waited for the watch would not end.
    const closed = host.close({ gracePeriodMs: 60_000 }).then(() => {
      over = true;
    });
    await until(() => told.length > 1);
    expect([told, transport.state]).toEqual([[true, false], "ready"]);
    expect(await alive(transport)).toBe(true);
    await until(() => over, 10_000);
    await closed;
    await until(() => transport.state !== "ready");
    expect(told).toEqual([true, false]);
    expect(states.slice(0, 3)).toEqual(["connecting", "ready", "idle"]);
  });

  it("makes no statement where a token is wanted or there is no such service, and is alive all the same", async () => {
    const guarded = await startTestHost({}, { token: "secret", open: [] });
    const { transport, told } = await watched(guarded.port);
    expect([told, await alive(transport)]).toEqual([[undefined], true]);
    const server = new Server();
    const port = await bound(server);
    const bare = await watched(port);
    expect([bare.told, await alive(bare.transport)]).toEqual([[undefined], true]);
    server.forceShutdown();
  });

  it("is alive when it resets the question, and not when the connection breaks", async () => {
    let reset = true;
    await using server = await startHttp2Server((stream, headers) => {
      if (headers[":path"] === healthWatchRpc.path) endWithStatus(stream, { "grpc-status": "12" });
      else if (reset) stream.close(constants.NGHTTP2_CANCEL);
    });
    const { transport } = await watched(server.port);
    expect([await alive(transport), transport.state]).toEqual([true, "ready"]);
    reset = false;
    for (const how of ["close", "reset"] as const) {
      transport.connect();
      await until(() => transport.state === "ready");
      const asked = alive(transport);
      setTimeout(() => server.drop(how), 50);
      expect(await asked).toBe(false);
    }
  });

  it("lets a server go that waits for every stream before it shuts down", async () => {
    const server = new Server();
    const { path, requestStream, responseStream } = healthWatchRpc;
    const same = (bytes: Buffer): Buffer => bytes;
    const codec = { requestDeserialize: same, responseSerialize: same };
    const unused = { requestSerialize: same, responseDeserialize: same };
    const watch = { path, requestStream, responseStream, ...codec, ...unused };
    server.addService(
      { watch },
      {
        watch: (call: ServerWritableStream<Buffer, Buffer>) => {
          call.write(Buffer.from([8, 1]));
        },
      },
    );
    const { told } = await watched(await bound(server));
    expect(told).toEqual([true]);
    let shut = false;
    server.tryShutdown(() => {
      shut = true;
    });
    await until(() => shut, 5_000);
  });
});

function bound(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
