import { createServer, type ServerHttp2Stream } from "node:http2";
import { createClient } from "inferwire/client";
import { describe, expect, it } from "vitest";
import { EchoDefinition } from "../support/client-echo.js";
import { until } from "../support/until.js";

/** Takes 100 streams a connection, and answers none before so many are under way. */
async function startCrowded(crowd: number) {
  const server = createServer({ settings: { maxConcurrentStreams: 100 } });
  const perSession = new Map<unknown, number>();
  const held: ServerHttp2Stream[] = [];
  let most = 0;
  server.on("session", (session) => {
    perSession.set(session, 0);
    session.on("close", () => perSession.delete(session));
  });
  server.on("stream", (stream, headers) => {
    const { session } = stream;
    // Questions about health are no calls.
    if (String(headers[":path"]).startsWith("/grpc.health.")) {
      const head = { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" };
      stream.respond(head, { endStream: true });
      return;
    }
    const now = (perSession.get(session) ?? 0) + 1;
    perSession.set(session, now);
    most = Math.max(most, now);
    stream.on("close", () => perSession.set(session, (perSession.get(session) ?? 1) - 1));
    stream.on("error", () => {});
    stream.resume();
    held.push(stream);
    if (held.length === crowd) for (const one of held.splice(0)) answer(one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    held: () => held.length,
    connections: () => perSession.size,
    most: () => most,
    close: () => server.close(),
  };
}

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.alloc(5));
}

describe("createClient: streams", () => {
  it("runs 250 calls at the same time on a server that takes 100 a connection", async () => {
    const server = await startCrowded(250);
    await using client = createClient(EchoDefinition, {
      target: `127.0.0.1:${server.port}`,
      maxAttempts: 1,
      timeoutMs: 20_000,
    });
    const calls = Array.from({ length: 250 }, (_, n) => client.unary({ text: `call ${n}` }));
    const answers = await Promise.all(calls);
    expect(answers.map(({ text }) => text)).toEqual(new Array(250).fill(""));
    expect([server.connections(), server.most() <= 100]).toEqual([3, true]);
    server.close();
  });

  it("keeps to one connection for calls that fit on it", async () => {
    const server = await startCrowded(90);
    await using client = createClient(EchoDefinition, { target: `127.0.0.1:${server.port}` });
    for (let round = 0; round < 3; round++) {
      const calls = Array.from({ length: 90 }, () => client.unary({ text: "a" }));
      await Promise.all(calls);
    }
    await until(() => server.held() === 0);
    expect(server.connections()).toBe(1);
    server.close();
  });
});
