import { connect, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AbusedHost, SCALE, startAbusedHost, TOKEN } from "../support/abused-host.js";
import { answerOf, connectRaw, exchangeRaw, type RawAnswer } from "../support/raw-http.js";

let host: AbusedHost;
const opened: Socket[] = [];

beforeAll(async () => {
  host = await startAbusedHost({
    requestTimeoutMs: 2_000,
    limits: {
      headersTimeoutMs: 800,
      bodyTimeoutMs: 1_500,
      firstByteTimeoutMs: 1_500,
      idleTimeoutMs: 2_000,
      maxConnections: 2_050,
    },
  });
});

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** A connection whose caller never closes its side, and reads what comes. */
function halfOpen(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: host.port, host: "127.0.0.1", allowHalfOpen: true }, () =>
      resolve(socket),
    );
    opened.push(socket);
    socket.resume();
    socket.on("error", () => {});
    socket.once("error", reject);
  });
}

const usual = `host: x\r\nauthorization: ${TOKEN}\r\n`;
const withHead = (lines: string, body = ""): string =>
  `POST /test HTTP/1.1\r\n${usual}${lines}\r\n\r\n${body}`;
const chunked = (body: string): string => withHead("transfer-encoding: chunked", body);

/** A refusal tells a caller what is wrong and nothing of the host's inside, with everything it shows escaped. */
function expectRefusal(answer: RawAnswer, status: number): void {
  expect(answer.text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
  const body = answer.text.slice(answer.text.indexOf("\r\n\r\n") + 4);
  expect(body.length).toBeLessThan(400);
  expect(body).not.toMatch(/\.[jt]s\b|node:|node_modules|\bat [A-Z]|[^\r\n\x20-\x7e]/);
  expect(answer.text).not.toContain(TOKEN);
}

describe("what two servers could read differently is answered with 400, and the connection closed", () => {
  const cases: readonly [string, string][] = [
    [
      "a length and chunks",
      withHead("content-length: 3\r\ntransfer-encoding: chunked", "0\r\n\r\n"),
    ],
    [
      "chunks and a length",
      withHead("transfer-encoding: chunked\r\ncontent-length: 3", "0\r\n\r\n"),
    ],
    ["two lengths", withHead("content-length: 3\r\ncontent-length: 4", "abcd")],
    ["the same length twice", withHead("content-length: 3\r\ncontent-length: 3", "abc")],
    ["a list of lengths", withHead("content-length: 3, 3", "abc")],
    ["a length below zero", withHead("content-length: -3", "abc")],
    ["a length with a sign", withHead("content-length: +3", "abc")],
    ["a length in hex", withHead("content-length: 0x3", "abc")],
    ["a length past 64 bits", withHead("content-length: 99999999999999999999999", "abc")],
    ["a coding that is almost chunked", withHead("transfer-encoding: xchunked", "0\r\n\r\n")],
    [
      "chunked before another coding",
      withHead("transfer-encoding: chunked, identity", "0\r\n\r\n"),
    ],
    ["another coding before chunked", withHead("transfer-encoding: gzip, chunked", "0\r\n\r\n")],
    ["chunked twice", withHead("transfer-encoding: chunked, chunked", "0\r\n\r\n")],
    ["a blank before the colon", withHead("transfer-encoding : chunked", "0\r\n\r\n")],
    [
      "chunks with HTTP/1.0",
      chunked("0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0\r\nconnection: keep-alive"),
    ],
    ["a chunk size that is no number", chunked("zz\r\n\r\n")],
    ["a chunk size below zero", chunked("-1\r\nabc")],
    ["a chunk size past 64 bits", chunked("ffffffffffffffffff\r\n\r\n")],
    ["a chunk that is longer than it says", chunked("1\r\naX\r\n0\r\n\r\n")],
    ["chunks with bare LF", chunked("1\na\n0\n\n")],
    ["a chunk extension of 40 kB", chunked(`1;${"x".repeat(40_000)}\r\na\r\n0\r\n\r\n`)],
    ["a header folded over two lines", withHead("x-a: b\r\n c\r\ncontent-length: 0")],
    ["bare LF", "POST /test HTTP/1.1\nhost: x\n\n"],
    ["bare CR", withHead("x-a: b\rcontent-length: 3", "abc")],
    ["NUL in a header", withHead("x-a: b\0c\r\ncontent-length: 0")],
    ["NUL in a path", withHead("content-length: 0").replace("/test", "/te\0st")],
    ["bytes of no encoding in a path", withHead("content-length: 0").replace("/test", "/\xff\xfe")],
    ["a header without a colon", withHead("nocolon")],
    ["two hosts", withHead("host: y\r\ncontent-length: 0")],
    ["no host", "POST /test HTTP/1.1\r\ncontent-length: 0\r\n\r\n"],
    ["HTTP/3.7", withHead("content-length: 0").replace("1.1", "3.7")],
  ];
  for (const [name, request] of cases) {
    it(name, async () => {
      // What stands behind it must never be taken for a request.
      const behind = `GET /livez HTTP/1.1\r\nhost: x\r\n\r\n`;
      const answer = await host.abuse(() => exchangeRaw(host.port, request + behind));
      expectRefusal(answer, 400);
      expect([answer.text.match(/HTTP\/1\.1 \d/g)?.length, answer.closed]).toEqual([1, true]);
    });
  }
});

describe("names and paths", () => {
  const cases: readonly [string, number][] = [
    ["/api/predict/..%2f..", 404],
    ["/api/predict/../../etc/passwd", 404],
    ["/api/predict/%00", 404],
    ["/api/predict/a%20b", 404],
    ["/api/predict/.hidden", 404],
    ["/api/predict/__proto__", 404],
    ["/api/predict/%0d%0aset-cookie:%20a=b", 404],
    [`/api/predict/${"n".repeat(5_000)}`, 404],
    ["/api/predict/%ff", 400],
    ["/api/predict/%zz", 400],
    ["/api/builtin/constructor", 404],
    ["/api/builtin/%00", 404],
    [`/api/builtin/${"n".repeat(5_000)}`, 404],
    [`/${"n".repeat(20_000)}`, 431],
  ];
  for (const [path, status] of cases) {
    it(`${path.slice(0, 40)} is answered with ${status}`, async () => {
      const request = withHead("content-length: 0\r\nconnection: close").replace("/test", path);
      expectRefusal(await host.abuse(() => exchangeRaw(host.port, request)), status);
    });
  }
});

describe("tokens", () => {
  it("wrong ones are answered with 401 and shown nowhere", async () => {
    const wrong = `${TOKEN}-almost`;
    const request = withHead("content-length: 0\r\nconnection: close").replace(TOKEN, wrong);
    const answer = await host.abuse(() => exchangeRaw(host.port, request), { lines: 0 });
    expectRefusal(answer, 401);
  });
});

describe("callers who are refused while they still send", () => {
  it("can read why once they have sent all, and nothing behind it is answered", async () => {
    const bytes = 8 * 1024 * 1024;
    const socket = await connectRaw(host.port);
    opened.push(socket);
    // Not before all is sent: what a break of the connection takes back is lost then.
    socket.pause();
    socket.write(withHead(`content-length: ${bytes}`).replace(TOKEN, "wrong"), "latin1");
    socket.write(Buffer.alloc(bytes));
    const behind = `GET /livez HTTP/1.1\r\n${usual}\r\n`;
    await new Promise<unknown>((resolve) => socket.write(behind, resolve));
    const heard = answerOf(socket);
    socket.resume();
    const answer = await heard;
    expectRefusal(answer, 401);
    expect(answer.text.split("HTTP/1.1")).toHaveLength(2);
  });
});

describe("floods", () => {
  it("of pipelined requests are answered one by one", async () => {
    const count = 2_000 * SCALE;
    const request = `GET /livez HTTP/1.1\r\nhost: x\r\n\r\n`;
    const last = `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
    const answer = await host.abuse(() => exchangeRaw(host.port, request.repeat(count) + last));
    expect(answer.text.match(/HTTP\/1\.1 200/g)).toHaveLength(count + 1);
  });

  it("of pipelined requests whose answers nobody reads hold no more than their connection's share", async () => {
    await host.abuse(async () => {
      const socket = await halfOpen();
      socket.pause();
      const some = `GET /livez HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(1_000);
      for (let i = 0; i < 20 * SCALE && !socket.destroyed; i++) {
        if (!socket.write(some)) await Promise.race([taken(socket), quiet(100)]);
      }
    });
  });

  it("of tiny chunks cost little more than their bytes", async () => {
    const socket = await connectRaw(host.port);
    const count = 50_000 * SCALE;
    const answer = await host.abuse(async () => {
      const ended = answerOf(socket);
      socket.write(withHead("connection: close\r\ntransfer-encoding: chunked"));
      for (let sent = 0; sent < count; sent += 5_000) socket.write("1\r\nx\r\n".repeat(5_000));
      socket.write("0\r\n\r\n");
      return ended;
    });
    expect(answer.text).toContain("HTTP/1.1 200");
  });

  it("of trailers are refused over the limit of headers", async () => {
    const request = chunked(`0\r\n${"x: y\r\n".repeat(10_000)}\r\n`);
    expectRefusal(await host.abuse(() => exchangeRaw(host.port, request)), 431);
  });

  it("of headers are refused over the limits, in bytes and in number", async () => {
    for (const lines of [`x: ${"v".repeat(1_000_000)}`, "x: v\r\n".repeat(150).trimEnd()]) {
      const answer = await host.abuse(() => exchangeRaw(host.port, withHead(lines), "}}"));
      expectRefusal(answer, 431);
    }
  });

  it("of connections that say nothing are closed again, and those over the limit at once, in few lines", async () => {
    const sockets = await host.abuse(
      async () => {
        const all: Socket[] = [];
        for (let i = 0; i < 2_000; i += 100) {
          all.push(...(await Promise.all(Array.from({ length: 100 }, halfOpen))));
        }
        return all;
      },
      { growthMiB: 128, lines: 0 },
    );
    expect(sockets).toHaveLength(2_000);
    const said = () => host.program.output().split("\n").length;
    const before = said();
    const more = await Promise.all(Array.from({ length: 300 }, halfOpen));
    await Promise.all(more.slice(-200).map(ended));
    expect(said() - before).toBeLessThanOrEqual(1);
    await host.alone();
  });
});

describe("slow callers", () => {
  it("are answered with 408 or closed, and let go of when they never close their side", async () => {
    const beginnings = [
      withHead("x: ").slice(0, -4),
      withHead("content-length: 10", "ab"),
      chunked("5\r\nab"),
      "\x01\r\n\r\n",
      withHead("content-length: 3\r\ncontent-length: 4", "abcd"),
      withHead("content-length: 10", "ab").replace(TOKEN, "wrong"),
      "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n",
      "",
      "P",
    ];
    await host.abuse(async () => {
      const sockets = await Promise.all(beginnings.map(halfOpen));
      sockets.forEach((socket, i) => {
        socket.write(beginnings[i] ?? "", "latin1");
      });
      await Promise.all(sockets.map(ended));
    });
    await host.alone();
  });

  it("who send a header byte by byte are answered with 408", async () => {
    const socket = await connectRaw(host.port);
    const answer = await host.abuse(async () => {
      const got = answerOf(socket);
      socket.write("POST /test HTTP/1.1\r\nhost: x\r\nx: ");
      while (!socket.destroyed) {
        socket.write("v");
        await quiet(20);
      }
      return got;
    });
    expectRefusal(answer, 408);
  });
});

describe("in the end", () => {
  it("the host stops in order, with callers who never close their side", async () => {
    const socket = await halfOpen();
    socket.write("\x01\r\n\r\n");
    await ended(socket);
    host.program.child.kill("SIGTERM");
    expect(await host.program.exited).toBe(0);
    expect(host.program.output()).not.toContain(TOKEN);
  });
});

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readableEnded || socket.destroyed) resolve();
    socket.once("end", resolve);
    socket.once("close", () => resolve());
  });
}

function taken(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", () => resolve());
  });
}

function quiet(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
