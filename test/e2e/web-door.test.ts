import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startTestHost } from "../support/hosts.js";
import {
  answerOf,
  connectRaw,
  exchangeRaw,
  type HttpAnswer,
  http,
  post,
} from "../support/raw-http.js";
import { until } from "../support/until.js";
import { startWebHost } from "../support/web-host.js";

const UNARY = "/test.web.WebService/Unary";
const STREAM = "/test.web.WebService/ServerStream";
const CLIENT_STREAM = "/test.web.WebService/ClientStream";
const PAGE = "https://app.example";

/** `{ text: "hi" }` in protobuf, bare and in an envelope. */
const message = Buffer.from([10, 2, 104, 105]);
const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);

function call(
  port: number,
  path: string,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  return post(port, path, body, { "content-type": type, ...headers });
}

/** Code and reason of an answer over gRPC-Web that had no message. */
function refusal({ status, headers }: HttpAnswer): string {
  return `${status} ${headers.get("grpc-status")} ${headers.get("inferwire-reason")}`;
}

/** The same of Connect's unary calls. */
function connectRefusal({ status, headers, text }: HttpAnswer): string {
  const { code } = JSON.parse(text) as { code: string };
  return `${status} ${code} ${headers.get("trailer-inferwire-reason")}`;
}

const MEBIBYTE = 1_048_576;

/** Tells of every turn of the event loop, until it is stopped. */
function turnsOf(listener: () => void): () => void {
  let on = true;
  const turn = (): void => {
    listener();
    if (on) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    on = false;
  };
}

const TCP_TABLE = "/proc/net/tcp";

/** Whether the system's keepalive timer runs for a connection that a port has taken, and nothing else does. */
function isProbed(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync(TCP_TABLE, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([, from = "", , state, , timer = ""]) =>
        from.endsWith(local) && state === "01" && timer.startsWith("02:"),
    );
}

describe("the doors of the web, by hand", () => {
  it("answer base64 to base64, wherever the caller has cut it", async () => {
    const { port } = await startWebHost();
    const trailers = "grpc-status: 0\r\nx-tail: tail\r\n";
    for (let cut = 0; cut <= framed.length; cut++) {
      const parts = [framed.subarray(0, cut), framed.subarray(cut)];
      const body = parts.map((part) => part.toString("base64")).join("");
      const { text, headers } = await call(port, UNARY, "application/grpc-web-text", body);
      expect(headers.get("content-type")).toBe("application/grpc-web-text+proto");
      const answer = Buffer.from(text, "base64");
      expect(answer.subarray(0, framed.length).equals(framed)).toBe(true);
      expect(answer.subarray(framed.length + 5).toString()).toBe(trailers);
    }
    const { text } = await call(
      port,
      STREAM,
      "application/grpc-web-text",
      framed.toString("base64"),
    );
    const pieces = [...text.matchAll(/[A-Za-z0-9+/]+=*/g)].map(([piece]) => piece);
    const answer = Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")));
    expect(answer.subarray(0, framed.length).equals(framed)).toBe(true);
    expect(answer.subarray(framed.length + 5).toString()).toBe(trailers);
  });

  it("take a text that arrives split at any place", async () => {
    const { port } = await startWebHost();
    const text = framed.toString("base64");
    for (let cut = 1; cut < text.length; cut++) {
      const socket = await connectRaw(port);
      socket.write(
        `POST ${UNARY} HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc-web-text\r\n` +
          `connection: close\r\ncontent-length: ${text.length}\r\n\r\n${text.slice(0, cut)}`,
      );
      setImmediate(() => socket.write(text.slice(cut)));
      expect((await answerOf(socket)).text).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it.each([
    ["half a frame", framed.subarray(0, 7)],
    ["a huge length", Buffer.from([0, 255, 255, 255, 255, 1])],
    ["nothing", Buffer.alloc(0)],
    ["two messages", Buffer.concat([framed, framed])],
    ["a compressed one", Buffer.concat([Buffer.from([1]), framed.subarray(1)])],
  ])("refuse %s, and go on", async (_, body) => {
    const { port } = await startWebHost();
    expect(refusal(await call(port, UNARY, "application/grpc-web", body))).toBe(
      "200 3 MALFORMED_REQUEST",
    );
    const stream = await call(port, STREAM, "application/connect+proto", body);
    expect([stream.status, stream.text]).toEqual([
      200,
      expect.stringContaining("invalid_argument"),
    ]);
    expect((await call(port, UNARY, "application/proto", message)).status).toBe(200);
  });

  it("end a call whose body drips in", async () => {
    const { port } = await startWebHost({}, { requestTimeoutMs: 200 });
    const head = `POST ${UNARY} HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc-web\r\ncontent-length: 9\r\n\r\n`;
    const answer = await exchangeRaw(port, `${head}\0\0`);
    expect(answer.closed).toBe(true);
    expect(answer.text).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.text).toContain("grpc-status: 4");
    const connect = await exchangeRaw(port, `${head.replace("grpc-web", "json")}{`);
    expect(connect.closed).toBe(true);
    expect(connect.text).toMatch(/^HTTP\/1.1 504 /);
    expect(connect.text).toContain('"code":"deadline_exceeded"');
  });

  it("refuse what they do not carry, each in its own words", async () => {
    const { port } = await startWebHost();
    const grpcWeb = (path: string, headers: Record<string, string>) =>
      call(port, path, "application/grpc-web", framed, headers).then(refusal);
    const connect = (headers: Record<string, string>) =>
      call(port, UNARY, "application/json", "{}", headers).then(connectRefusal);
    expect(await grpcWeb(CLIENT_STREAM, {})).toBe("200 12 NOT_OVER_WEB");
    expect(await grpcWeb(UNARY, { "grpc-encoding": "gzip" })).toBe("200 12 NOT_OVER_WEB");
    expect(await grpcWeb(UNARY, { "grpc-timeout": "-5S" })).toBe("200 3 MALFORMED_REQUEST");
    expect(await grpcWeb("/test.web.WebService/Nope", {})).toBe("200 12 UNKNOWN_ROUTE");
    expect(await connect({ "content-encoding": "gzip" })).toBe("501 unimplemented NOT_OVER_WEB");
    expect(await connect({ "connect-protocol-version": "2" })).toBe(
      "400 invalid_argument MALFORMED_REQUEST",
    );
    const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    expect(await grpcWeb(reflection, {})).toBe("200 12 NOT_OVER_WEB");
  });

  it("tell who comes the wrong way how to come", async () => {
    const { port } = await startWebHost();
    const get = await http(port, `${UNARY}?connect=v1&encoding=json&message=%7B%7D`);
    expect([get.status, get.text]).toEqual([405, expect.stringContaining("takes POST, not GET")]);
    const grpc = await call(port, UNARY, "application/grpc", framed);
    expect([grpc.status, grpc.text]).toEqual([415, expect.stringContaining("gRPC needs HTTP/2")]);
    const unknown = await call(port, STREAM, "application/xml", "");
    expect(unknown.status).toBe(415);
    for (const type of ["application/grpc-web-text+proto", "application/connect+json"]) {
      expect(unknown.text).toContain(type);
    }
  });

  it("answer the host's own methods in JSON, without a descriptor set of anybody's", async () => {
    const { port } = await startTestHost();
    const health = await call(port, "/grpc.health.v1.Health/Check", "application/json", "{}");
    expect([health.status, JSON.parse(health.text)]).toEqual([200, { status: "SERVING" }]);
    const predict = "/inferwire.predict.v1.PredictService/Predict";
    const answer = await call(port, predict, "application/json", '{"data": "aGk="}');
    expect(JSON.parse(answer.text)).toEqual({ data: "aGk=" });
  });

  it("name the field of JSON that does not fit, and say what JSON needs", async () => {
    const { port } = await startWebHost();
    const wrong = await call(port, UNARY, "application/json", '{"bigNumber": "many"}');
    expect(connectRefusal(wrong)).toBe("400 invalid_argument MALFORMED_REQUEST");
    expect(wrong.text).toContain("big_number");
    const bare = await startWebHost({}, {}, new Uint8Array(0));
    const refused = await call(bare.port, UNARY, "application/json", "{}");
    expect(connectRefusal(refused)).toBe("501 unimplemented NOT_OVER_WEB");
    expect(refused.text).toContain("descriptorSet");
    expect((await call(bare.port, UNARY, "application/proto", message)).status).toBe(200);
  });

  it("take less of JSON than of bytes, and little for the host's own methods", async () => {
    const { port } = await startWebHost();
    const json = (bytes: number) => `{"text": "${"x".repeat(bytes - 12)}"}`;
    const largest = await call(port, UNARY, "application/json", json(MEBIBYTE));
    expect(largest.status).toBe(200);
    const unary = await call(port, UNARY, "application/json", json(MEBIBYTE + 1));
    expect(connectRefusal(unary)).toBe("429 resource_exhausted MESSAGE_TOO_LARGE");
    expect(unary.text).toContain("1048577 bytes or more, at most 1048576 of JSON");
    const stream = await call(port, STREAM, "application/connect+json", json(MEBIBYTE + 1));
    expect([stream.status, stream.text]).toEqual([
      200,
      expect.stringContaining('"code":"resource_exhausted"'),
    ]);
    const long = Buffer.concat([
      Buffer.from([10, 0x80, 0x80, 0x80, 1]),
      Buffer.alloc(2 * MEBIBYTE),
    ]);
    expect((await call(port, UNARY, "application/proto", long)).status).toBe(200);
    const check = "/grpc.health.v1.Health/Check";
    const own = await call(port, check, "application/json", " ".repeat(4_097));
    expect(connectRefusal(own)).toBe("429 resource_exhausted MESSAGE_TOO_LARGE");
    const less = await startWebHost({}, { limits: { maxJsonBytes: 20 } });
    expect((await call(less.port, UNARY, "application/json", json(20))).status).toBe(200);
    expect((await call(less.port, UNARY, "application/json", json(21))).status).toBe(429);
  });

  it.each([
    ["a stream of the web", STREAM, "application/grpc-web", framed],
    ["an answer in pieces", "/api/predict/pieces", "application/octet-stream", message],
  ])("give everybody else a turn while they send %s", async (_, path, type, body) => {
    let sinceTurn = 0;
    let most = 0;
    const count = (): void => {
      sinceTurn += 1;
      most = Math.max(most, sinceTurn);
    };
    const many = async function* <T>(piece: T): AsyncIterable<T> {
      const stop = turnsOf(() => {
        sinceTurn = 0;
      });
      for (let made = 0; made < 1_000; made++) {
        count();
        yield piece;
      }
      stop();
    };
    const { port } =
      path === STREAM
        ? await startWebHost({ serverStream: (request) => many(request) })
        : { port: (await startTestHost({ process: (data) => many(data) })).port };
    expect((await call(port, path, type, body)).status).toBe(200);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(20);
  });

  it("compare bodies with their digests where a host does", async () => {
    const { port } = await startWebHost({}, { checkContentMd5: true });
    const digest = createHash("md5").update(framed).digest("hex");
    const withDigest = (body: Uint8Array) =>
      call(port, UNARY, "application/grpc-web", body, { "content-md5": digest });
    expect((await withDigest(framed)).headers.get("grpc-status")).toBeNull();
    const other = Buffer.from(framed).fill(106, 7);
    expect(refusal(await withDigest(other))).toBe("200 3 MALFORMED_REQUEST");
  });

  it("hold up a method whose stream is not read", async () => {
    let made = 0;
    let over = false;
    const { port } = await startWebHost({
      async *serverStream() {
        try {
          for (; made < 1_000; made++) yield { text: "x".repeat(100_000) };
        } finally {
          over = true;
        }
      },
    });
    const socket = await connectRaw(port);
    socket.pause();
    socket.write(
      `POST ${STREAM} HTTP/1.1\r\nhost: h\r\ncontent-type: application/connect+proto\r\n` +
        `content-length: ${framed.length}\r\n\r\n`,
    );
    socket.write(framed);
    let before = -1;
    await until(async () => {
      const still = made === before && made > 0;
      before = made;
      if (!still) await new Promise((resolve) => setTimeout(resolve, 100));
      return still;
    });
    expect(made).toBeLessThan(500);
    socket.destroy();
    await until(() => over);
  });

  it.runIf(existsSync(TCP_TABLE))("notice a page that vanished from a silent stream", async () => {
    const { port } = await startWebHost();
    const socket = await connectRaw(port);
    socket.write(
      `POST /grpc.health.v1.Health/Watch HTTP/1.1\r\nhost: h\r\ncontent-type: application/connect+proto\r\n` +
        `content-length: 5\r\n\r\n\0\0\0\0\0`,
    );
    await once(socket, "data");
    await until(() => isProbed(port));
    socket.destroy();
  });

  it("end their streams when the host stops, and hold up no stop", async () => {
    const host = await startWebHost();
    const response = await fetch(`http://127.0.0.1:${host.port}/grpc.health.v1.Health/Watch`, {
      method: "POST",
      headers: { "content-type": "application/connect+proto" },
      body: Buffer.alloc(5),
    });
    const text = response.text();
    // Were the kept connection waited for, this would last for minutes.
    await host.close({ gracePeriodMs: 600_000 });
    expect(await text).toContain('"code":"unavailable"');
  });

  it("end what runs on when the grace period is over", async () => {
    const host = await startWebHost({
      async *serverStream(request, { signal }) {
        yield request;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    });
    const answer = call(host.port, STREAM, "application/connect+proto", framed);
    await until(async () => {
      const { text } = await http(host.port, "/api/builtin/monitor");
      return (JSON.parse(text) as { inFlight: number }).inFlight === 1;
    });
    await host.close({ gracePeriodMs: 50 });
    expect((await answer).text).toContain("ABORTED_BY_STOP");
  });
});

describe("pages of other origins", () => {
  const question = (origin: string) => ({
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,authorization",
    },
  });

  it("are answered before the token is asked for, and read every refusal", async () => {
    const cors = { origins: [PAGE] };
    const { port } = await startWebHost({}, { token: "secret", cors });
    const asked = await http(port, UNARY, question(PAGE));
    expect(asked.status).toBe(200);
    expect(asked.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
    const refused = await call(port, UNARY, "application/grpc-web", framed, { origin: PAGE });
    expect(refusal(refused)).toBe("200 16 UNAUTHENTICATED");
    expect(refused.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(refused.headers.get("access-control-expose-headers")).toContain("inferwire-reason");
    const authorization = "secret";
    const stream = await call(port, STREAM, "application/connect+proto", framed, {
      origin: PAGE,
      authorization,
    });
    expect(stream.headers.get("access-control-expose-headers")).toContain("x-head");
    const unknown = await post(port, "/nowhere", "", { origin: PAGE, authorization });
    expect([unknown.status, unknown.headers.get("access-control-allow-origin")]).toEqual([
      404,
      PAGE,
    ]);
  });

  it("get nothing when they are not listed, and from builtins nothing at all", async () => {
    const { port } = await startWebHost({}, { cors: { origins: [PAGE] } });
    const other = await http(port, UNARY, question("https://evil.example"));
    expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    expect(other.text).toContain("cors.origins");
    const builtin = "/inferwire.builtin.v1.BuiltinService";
    for (const path of ["/api/builtin/ping", `${builtin}/Ping`, `${builtin}/Term`]) {
      const asked = await http(port, path, question(PAGE));
      expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([405, null]);
    }
    const term = await call(port, `${builtin}/Term`, "application/json", "{}", { origin: PAGE });
    expect(connectRefusal(term)).toBe("403 permission_denied FORBIDDEN");
  });

  it("are not answered unless the host says so", async () => {
    const { port } = await startWebHost();
    const asked = await http(port, UNARY, question(PAGE));
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([405, null]);
    const answer = await call(port, UNARY, "application/proto", message, { origin: PAGE });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });
});
