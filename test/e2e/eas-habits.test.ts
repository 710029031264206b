import { describe, expect, it } from "vitest";
import { easSignature } from "../../src/wire/eas-signature.js";
import { startTestHost } from "../support/hosts.js";
import { answerOf, connectRaw, exchangeRaw, http, post, reasonOf } from "../support/raw-http.js";
import { until } from "../support/until.js";

const PREDICT = "/api/predict/demo";
const TOKEN = "s3cret";

describe("what EAS's clients do to a host", () => {
  it("sends the token in both spellings: signed by predict clients, bare by queue clients and curl", async () => {
    const { port } = await startTestHost({}, { token: TOKEN });
    const headers = {
      "content-md5": "9dd4e461268c8034f5c8564e155c67a6",
      "content-type": "application/octet-stream",
      date: "Sat, 21 Nov 2026 10:00:00 GMT",
    };
    const authorization = easSignature(TOKEN, {
      contentMd5: headers["content-md5"],
      contentType: headers["content-type"],
      date: headers.date,
      resource: PREDICT,
    });
    for (const given of [authorization, TOKEN, `Bearer ${TOKEN}`]) {
      const answer = await post(port, PREDICT, "x", { ...headers, authorization: given });
      expect([answer.status, answer.text]).toEqual([200, "x"]);
    }
  });

  it.each([-14, 0, 14])("signs a Date that is %i hours off", async (hours) => {
    const { port } = await startTestHost({}, { token: TOKEN });
    const date = new Date(Date.now() + hours * 3_600_000).toUTCString();
    const parts = { contentMd5: "", contentType: "text/plain", date, resource: PREDICT };
    const authorization = easSignature(TOKEN, parts);
    const headers = { authorization, date, "content-type": "text/plain" };
    // fetch leaves no Date to its callers.
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = `POST ${PREDICT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n`;
    const answer = await exchangeRaw(port, `${request}${lines.join("")}\r\nx`);
    expect(answer.text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("sends neither type, date nor digest when it has no token", async () => {
    const { port } = await startTestHost();
    const request = `POST ${PREDICT} HTTP/1.1\r\nhost: x\r\naccept-encoding: identity\r\n`;
    const answer = await exchangeRaw(port, `${request}content-length: 1\r\n\r\nx`, "\r\n\r\nx");
    expect(answer.text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("takes nothing but 200 for success, which 0 of a processor is as well", async () => {
    const { port } = await startTestHost({ process: () => [Buffer.from("done"), 0] });
    expect((await post(port, PREDICT, "x")).status).toBe(200);
  });

  it("makes its local test against /test", async () => {
    const { port } = await startTestHost({ process: (_, call) => Buffer.from(call.path) });
    expect((await post(port, "/test", "x")).text).toBe("/test");
  });

  it("opens a connection for each call when there are more than ten instances", async () => {
    const { port } = await startTestHost();
    for (let i = 0; i < 300; i++) {
      const answer = await post(port, PREDICT, String(i), { connection: "close" });
      expect(answer.text).toBe(String(i));
    }
    const connections = async () =>
      (JSON.parse((await http(port, "/api/builtin/monitor")).text) as { connections: number })
        .connections;
    await until(async () => (await connections()) === 1);
  });
});

describe("a body that is not as long as its header says, as threads that share a Python client send", () => {
  it("longer: times out with 408 and is closed, while others are served", async () => {
    const { port } = await startTestHost({}, { requestTimeoutMs: 300 });
    const short = `POST ${PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc`;
    let ended = false;
    const waiting = exchangeRaw(port, short).finally(() => {
      ended = true;
    });
    let served = 0;
    do {
      expect((await post(port, PREDICT, "me")).text).toBe("me");
      served++;
    } while (!ended);
    const answer = await waiting;
    expect(served).toBeGreaterThan(1);
    expect(answer.text).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer.text).toMatch(/^connection: close\r$/im);
    expect(answer.text).toContain("the call took longer than the host's 300 ms");
    expect(answer.closed).toBe(true);
  });

  it("shorter: is answered with 400, for what is left over is no request, and is closed", async () => {
    const { port } = await startTestHost();
    const long = `POST ${PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcdefghij`;
    const answer = await exchangeRaw(port, long);
    expect(answer.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.text).toContain("not an HTTP/1.1 request");
    expect(answer.closed).toBe(true);
  });
});

describe("refusals", () => {
  it("say what happened, and those of 408 and 450 alone of the usual ones close the connection", async () => {
    const { port } = await startTestHost(
      {
        async process(data) {
          const text = Buffer.from(data).toString();
          if (text === "throw") throw new Error("secret");
          if (text === "wait") await new Promise(() => {});
          return data;
        },
      },
      { token: TOKEN, service: "demo", requestTimeoutMs: 400, workerThreads: 1, maxQueueLength: 0 },
    );
    const ask = async (path: string, body: string, { method = "POST", token = TOKEN } = {}) => {
      const socket = await connectRaw(port);
      const answer = answerOf(socket, "}}\n");
      socket.write(
        `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      const { text } = await answer;
      const { error } = JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as {
        error: { code: string; reason: string; message: string };
      };
      expect(error.message).not.toBe("");
      expect(text).not.toContain("secret");
      return [text.slice(9, 12), error.reason, /^connection: close\r$/im.test(text)];
    };
    expect(await ask(PREDICT, "throw")).toEqual(["400", "PROCESSOR_THREW", false]);
    expect(await ask(PREDICT, "x", { token: "no" })).toEqual(["401", "UNAUTHENTICATED", true]);
    expect(await ask("/api/predict/other", "x")).toEqual(["404", "UNKNOWN_SERVICE", false]);
    expect(await ask(PREDICT, "", { method: "GET" })).toEqual(["405", "METHOD_NOT_ALLOWED", false]);
    const late = ask(PREDICT, "wait");
    // The one place is taken once the next call finds none.
    let full = await ask(PREDICT, "throw");
    while (full[0] === "400") full = await ask(PREDICT, "throw");
    expect(full).toEqual(["450", "QUEUE_FULL", true]);
    expect(await late).toEqual(["408", "DEADLINE_EXCEEDED", true]);
    const answer = await post(port, "/api/builtin/nothing", "", { authorization: TOKEN });
    expect([answer.status, reasonOf(answer)]).toEqual([404, "UNKNOWN_BUILTIN"]);
  });
});
