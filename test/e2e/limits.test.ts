import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { startTestHost } from "../support/hosts.js";
import {
  callRaw,
  frameOf,
  openSession,
  outcomeOf,
  predictMessage,
  startCall,
} from "../support/raw-grpc.js";
import { answerOf, connectRaw, exchangeRaw, http, post, reasonOf } from "../support/raw-http.js";

const RESOURCE_EXHAUSTED = 8;
const DEADLINE_EXCEEDED = 4;

/** Whatever was refused, the host goes on serving everybody else, on both protocols. */
async function expectServing(port: number): Promise<void> {
  expect((await post(port, "/test", "still")).text).toBe("still");
  expect((await callRaw(port, frameOf(predictMessage("here")))).status).toBe(0);
}

describe("message bytes", () => {
  const limits = { maxMessageBytes: 100_000 };

  it("refuses a gRPC message over the limit and names both sizes", async () => {
    const { port } = await startTestHost({}, limits);
    const outcome = await callRaw(port, frameOf(predictMessage(Buffer.alloc(200_000))));
    expect(outcome.status).toBe(RESOURCE_EXHAUSTED);
    expect(outcome.message).toContain("100000");
    await expectServing(port);
  });

  it("refuses a gRPC frame that claims 2 GB at its first bytes", async () => {
    const { port } = await startTestHost({}, limits);
    const frame = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
    expect((await callRaw(port, frame)).status).toBe(RESOURCE_EXHAUSTED);
    await expectServing(port);
  });

  it("refuses a gRPC message that inflates past the limit", async () => {
    const { port } = await startTestHost({}, limits);
    const bomb = gzipSync(predictMessage(Buffer.alloc(50_000_000)));
    expect(bomb.length).toBeLessThan(limits.maxMessageBytes);
    const outcome = await callRaw(port, frameOf(bomb, 1), { "grpc-encoding": "gzip" });
    expect(outcome.status).toBe(RESOURCE_EXHAUSTED);
    await expectServing(port);
  });

  it("refuses an HTTP body by its declared length, before reading it", async () => {
    const { port } = await startTestHost({}, limits);
    const answer = await exchangeRaw(
      port,
      "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n",
    );
    expect(answer.text).toContain("HTTP/1.1 413");
    expect(answer.text).toContain("100001");
    expect(answer.closed).toBe(true);
    await expectServing(port);
  });

  it("refuses a chunked HTTP body as soon as it is over", async () => {
    const { port } = await startTestHost({}, limits);
    const socket = await connectRaw(port);
    socket.write("POST /test HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    for (let i = 0; i < 3; i++) socket.write(`9c40\r\n${"x".repeat(40_000)}\r\n`);
    const answer = await answerOf(socket);
    expect(answer.text).toContain("HTTP/1.1 413");
    expect(answer.text).toContain("MESSAGE_TOO_LARGE");
    await expectServing(port);
  });

  it("takes a body of exactly the limit in thousands of tiny chunks", async () => {
    const { port } = await startTestHost({}, limits);
    const socket = await connectRaw(port);
    socket.write(
      "POST /test HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    for (let i = 0; i < 10_000; i++) socket.write("a\r\n0123456789\r\n");
    socket.write("0\r\n\r\n");
    const answer = await answerOf(socket);
    expect(answer.text).toContain("HTTP/1.1 200");
    expect(answer.text.length).toBeGreaterThan(100_000);
  });
});

describe("bodies being received", () => {
  it("are bounded on all connections together, and give their bytes back", async () => {
    const { port } = await startTestHost({}, { limits: { maxReceivingBytes: 100_000 } });
    const head = "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n";
    const first = await connectRaw(port);
    first.write(head + "x".repeat(80_000));
    let refused = "";
    while (!refused.includes("450")) {
      refused = (await exchangeRaw(port, head + "x".repeat(90_000), "}}")).text;
    }
    expect(refused).toContain("QUEUE_FULL");
    first.write("x".repeat(10_000));
    expect((await answerOf(first, "HTTP/1.1 200")).text).toContain("HTTP/1.1 200");
    await expectServing(port);
  });
});

describe("an answer that nobody reads", () => {
  it("is let go after the idle time, with its connection", async () => {
    const { port } = await startTestHost(
      { process: () => Buffer.alloc(30_000_000) },
      { limits: { idleTimeoutMs: 200 } },
    );
    const socket = await connectRaw(port);
    socket.pause();
    socket.on("error", () => {});
    socket.write("POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx");
    let open = 2;
    while (open > 1) open = JSON.parse((await http(port, "/api/builtin/monitor")).text).connections;
    socket.destroy();
  });
});

describe("headers", () => {
  const limits = { maxHeaderBytes: 2_048, maxHeaderCount: 20 };
  const large = { "x-large": "v".repeat(4_000) };
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x-many-${i}`, "v"]));

  it("refuses headers over the byte limit on gRPC", async () => {
    const { port } = await startTestHost({}, { limits });
    const outcome = await callRaw(port, frameOf(predictMessage("x")), large);
    expect(outcome.status).toBe(RESOURCE_EXHAUSTED);
    expect(outcome.message).toContain("2048");
    await expectServing(port);
  });

  it("refuses too many headers on gRPC", async () => {
    const { port } = await startTestHost({}, { limits });
    const outcome = await callRaw(port, frameOf(predictMessage("x")), many);
    expect(outcome.trailers["inferwire-reason"]).toBe("HEADERS_TOO_LARGE");
    expect(outcome.message).toContain("30 headers");
    await expectServing(port);
  });

  it("refuses headers over the byte limit on HTTP with 431", async () => {
    const { port } = await startTestHost({}, { limits });
    const answer = await post(port, "/test", "x", large);
    expect([answer.status, reasonOf(answer)]).toEqual([431, "HEADERS_TOO_LARGE"]);
    await expectServing(port);
  });

  it("refuses too many headers on HTTP with 431 instead of dropping some", async () => {
    const { port } = await startTestHost({}, { limits });
    const answer = await post(port, "/test", "x", many);
    expect([answer.status, reasonOf(answer)]).toEqual([431, "HEADERS_TOO_LARGE"]);
    await expectServing(port);
  });
});

describe("connections and streams", () => {
  it("tells clients how many calls a connection may carry, and refuses more", async () => {
    const { port } = await startTestHost(
      { process: () => new Promise(() => {}) },
      { limits: { maxConcurrentStreams: 3 }, requestTimeoutMs: 300 },
    );
    const session = openSession(port);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(3);
    session.destroy();
  });

  it("closes connections over the limit at once", async () => {
    const { port } = await startTestHost({}, { limits: { maxConnections: 2 } });
    const first = await connectRaw(port);
    const second = await connectRaw(port);
    const third = await connectRaw(port);
    expect(await answerOf(third)).toEqual({ text: "", closed: true });
    first.destroy();
    second.destroy();
  });

  it("refuses new calls on a connection whose unread answers are over the session memory", async () => {
    const { port } = await startTestHost(
      { process: () => Buffer.alloc(4_000_000) },
      { limits: { maxSessionBytes: 1024 * 1024 }, workerThreads: 20 },
    );
    const session = openSession(port);
    const unread = Array.from({ length: 8 }, () => {
      const stream = startCall(session);
      stream.pause();
      stream.end(frameOf(predictMessage("x")));
      return stream;
    });
    await new Promise((resolve) => unread[0]?.once("response", resolve));
    const late = startCall(session);
    late.end(frameOf(predictMessage("x")));
    const outcome = await outcomeOf(late);
    expect(outcome.rstCode).not.toBe(0);
    session.destroy();
    expect((await post(port, "/test", "x")).status).toBe(200);
  });
});

describe("time", () => {
  it("closes a connection that says nothing", async () => {
    const { port } = await startTestHost({}, { limits: { firstByteTimeoutMs: 100 } });
    expect(await answerOf(await connectRaw(port))).toEqual({ text: "", closed: true });
    await expectServing(port);
  });

  it("closes a connection that begins like HTTP/2 and stops", async () => {
    const { port } = await startTestHost({}, { limits: { firstByteTimeoutMs: 100 } });
    const socket = await connectRaw(port);
    socket.write("PR");
    expect((await answerOf(socket)).closed).toBe(true);
  });

  it("answers 408 to headers that do not end", async () => {
    const { port } = await startTestHost({}, { limits: { headersTimeoutMs: 200 } });
    const answer = await exchangeRaw(port, "POST /test HTTP/1.1\r\nhost: x\r\nx-slow: ");
    expect(answer.text).toContain("HTTP/1.1 408");
    expect(answer.closed).toBe(true);
    await expectServing(port);
  });

  it("answers 408 to a body that stalls, within the port's body time", async () => {
    const { port } = await startTestHost(
      {},
      { requestTimeoutMs: Number.POSITIVE_INFINITY, limits: { bodyTimeoutMs: 200 } },
    );
    const answer = await exchangeRaw(
      port,
      "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
    );
    expect(answer.text).toContain("HTTP/1.1 408");
    expect(answer.closed).toBe(true);
    await expectServing(port);
  });

  it("ends a gRPC call whose message stalls, within the port's body time", async () => {
    const { port } = await startTestHost(
      {},
      { requestTimeoutMs: Number.POSITIVE_INFINITY, limits: { bodyTimeoutMs: 200 } },
    );
    const session = openSession(port);
    const stream = startCall(session);
    stream.write(frameOf(predictMessage("half")).subarray(0, 8));
    const outcome = await outcomeOf(stream);
    expect(outcome.status).toBe(DEADLINE_EXCEEDED);
    expect(outcome.message).toContain("200 ms");
    session.destroy();
    await expectServing(port);
  });

  it("closes an idle HTTP/1.1 connection", async () => {
    const { port } = await startTestHost({}, { limits: { idleTimeoutMs: 150 } });
    const answer = await exchangeRaw(port, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(answer.text).toContain("HTTP/1.1 200");
    expect(answer.closed).toBe(true);
  });

  it("closes an idle HTTP/2 connection", async () => {
    const { port } = await startTestHost({}, { limits: { idleTimeoutMs: 150 } });
    const session = openSession(port);
    await new Promise((resolve) => session.once("close", resolve));
    expect(session.destroyed).toBe(true);
  });
});

describe("malformed gRPC", () => {
  const cases: readonly [string, Buffer, string][] = [
    ["a compression flag that does not exist", frameOf(predictMessage("x"), 7), "flag is 7"],
    ["a frame cut short", frameOf(predictMessage("whole")).subarray(0, 9), "complete"],
    ["no message at all", Buffer.alloc(0), "complete"],
    [
      "two messages",
      Buffer.concat([frameOf(predictMessage("a")), frameOf(predictMessage("b"))]),
      "more than one",
    ],
    ["bytes that are no PredictRequest", frameOf(Buffer.from([0x0a, 0xff, 0xff])), "is not a"],
    [
      "a message said to be compressed with nothing",
      frameOf(predictMessage("x"), 1),
      "no grpc-encoding",
    ],
  ];
  for (const [name, bytes, text] of cases) {
    it(`refuses ${name}`, async () => {
      const { port } = await startTestHost();
      const outcome = await callRaw(port, bytes);
      expect(outcome.status).toBeGreaterThan(0);
      expect(outcome.message).toContain(text);
      await expectServing(port);
    });
  }

  it("refuses an encoding it does not know", async () => {
    const { port } = await startTestHost();
    const outcome = await callRaw(port, frameOf(predictMessage("x"), 1), { "grpc-encoding": "br" });
    expect(outcome.status).toBe(12);
    await expectServing(port);
  });

  it("answers 415 to HTTP/2 that is not gRPC", async () => {
    const { port } = await startTestHost();
    const outcome = await callRaw(port, Buffer.from("{}"), { "content-type": "application/json" });
    expect(outcome.httpStatus).toBe(415);
  });

  it("answers UNIMPLEMENTED to an unknown method", async () => {
    const { port } = await startTestHost();
    const outcome = await callRaw(port, Buffer.alloc(0), { ":path": "/no.Such/Method" });
    expect(outcome.status).toBe(12);
  });
});

describe("malformed HTTP", () => {
  it("answers 400 to what is no request, and closes", async () => {
    const { port } = await startTestHost();
    const answer = await exchangeRaw(port, "\u0001\u0002\u0003 nonsense\r\n\r\n");
    expect(answer.text).toContain("HTTP/1.1 400");
    expect(answer.closed).toBe(true);
    await expectServing(port);
  });

  it("answers 400 to a length and chunks at once (request smuggling)", async () => {
    const { port } = await startTestHost();
    const answer = await exchangeRaw(
      port,
      "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    expect(answer.text).toContain("HTTP/1.1 400");
  });

  it("answers a path with a broken percent sign as malformed", async () => {
    const { port } = await startTestHost();
    const answer = await http(port, "/api/predict/%zz", { method: "POST" });
    expect([answer.status, reasonOf(answer)]).toEqual([400, "MALFORMED_REQUEST"]);
  });
});
