import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { callOverHttp, type HttpCallRequest } from "../../src/client/http-call.js";
import { metadataText } from "../../src/core/metadata.js";
import type { CallError, CallReport } from "../../src/core/serving-error.js";
import { Status } from "../../src/core/status.js";
import {
  closedPort,
  type OddServer,
  startHttpServer,
  startRawServer,
} from "../support/client-sockets.js";
import { type HttpChannel, openHttpChannel } from "../support/http-channel.js";

/** A server that counts, and answers as it is told. */
interface CountingServer extends OddServer {
  readonly requests: string[];
}

async function startCounting(answer: (response: ServerResponse) => void): Promise<CountingServer> {
  const requests: string[] = [];
  const server = await startHttpServer((_request, body, response) => {
    requests.push(String(body));
    answer(response);
  });
  return Object.assign(server, { requests });
}

const ok = (response: ServerResponse): unknown => response.end("done");
const answering =
  (status: number, body = "") =>
  (response: ServerResponse): unknown =>
    response.writeHead(status).end(body);

type Options = Partial<HttpCallRequest>;

function call({ core }: HttpChannel, options: Options = {}) {
  const body = Buffer.from("hello");
  return callOverHttp(core, { path: "/api/predict/x", headers: {}, body, ...options });
}

const failure = (channel: HttpChannel, options: Options = {}): Promise<CallError> =>
  call(channel, options).then(
    () => Promise.reject(new Error("the call was answered")),
    (error: CallError) => error,
  );

/** One call to a first instance that answers so, while a second one would answer with 200. */
async function twoInstances(answer: (response: ServerResponse) => void, options: Options = {}) {
  await using bad = await startCounting(answer);
  await using good = await startCounting(ok);
  await using channel = openHttpChannel([`${bad.port}=1000`, `${good.port}=1`]);
  const reports: CallReport[] = [];
  const settled = await call(channel, {
    ...options,
    onReport: (report) => reports.push(report),
  }).then(
    ({ body }) => String(body),
    (error: CallError) => error,
  );
  return { settled, reports, tries: [bad.requests.length, good.requests.length] };
}

describe("callOverHttp: answers", () => {
  it("sends path, headers and body, and hands over headers and body of a 200", async () => {
    await using server = await startHttpServer(({ url, headers }, body, response) =>
      response.setHeader("x-answer", "yes").end(`${url} ${headers["x-a"]} ${String(body)}`),
    );
    await using channel = openHttpChannel([server.port]);
    const headers = { "x-a": "b" };
    const answer = await call(channel, { path: "/p?q=1", headers });
    expect(String(answer.body)).toBe("/p?q=1 b hello");
    expect(metadataText(answer.headers, "x-answer")).toBe("yes");
    expect(headers).toEqual({ "x-a": "b" });
  });

  it("sends the channel's token, unless the call has its own", async () => {
    await using server = await startHttpServer(({ headers }, _body, response) =>
      response.end(headers.authorization),
    );
    await using channel = openHttpChannel([server.port], { token: async () => "secret" });
    expect(String((await call(channel)).body)).toBe("secret");
    const own = await call(channel, { headers: { authorization: "EAS x" } });
    expect(String(own.body)).toBe("EAS x");
  });

  it("rejects with everything that is known of an answer that is no 200", async () => {
    await using server = await startCounting(answering(404, "no such model"));
    await using channel = openHttpChannel([server.port]);
    const error = await failure(channel);
    expect(error).toMatchObject({
      name: "CallError",
      code: Status.NOT_FOUND,
      reason: "CALL_FAILED",
      remote: true,
      instance: `127.0.0.1:${server.port}`,
      httpStatus: 404,
      body: Buffer.from("no such model"),
      attempts: [{ code: Status.NOT_FOUND, reason: "CALL_FAILED" }],
    });
    expect(error.message).toContain("NOT_FOUND (CALL_FAILED): /api/predict/x on 127.0.0.1");
    expect(error.message).toContain("HTTP 404: no such model");
  });

  it("says nothing of headers that cannot be sent, but their names", async () => {
    await using server = await startCounting(ok);
    await using channel = openHttpChannel([server.port]);
    const error = await failure(channel, { headers: { "x-secret": "se\ncret" } });
    expect(error).toMatchObject({ cause: { reason: "INVALID_OPTION" } });
    expect(String(error.cause)).toContain('"x-secret"');
    expect(`${error.message} ${String(error.cause)}`).not.toContain("cret\n");
    expect(server.requests).toEqual([]);
  });
});

describe("callOverHttp: other instances", () => {
  const draining = JSON.stringify({ error: { code: "UNAVAILABLE", reason: "DRAINING" } });
  it.each([
    ["450", answering(450)],
    ["503 with no healthy upstream", answering(503, "no healthy upstream")],
    ["503 of a host that drains", answering(503, draining)],
  ])("tries one after %s", async (_name, answer) => {
    const { settled, reports, tries } = await twoInstances(answer);
    expect(settled).toBe("done");
    expect(tries).toEqual([1, 1]);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.attempts.map(({ code }) => code)).toEqual([Status.UNAVAILABLE, Status.OK]);
  });

  const limited = JSON.stringify({ error: { reason: "RATE_LIMITED", retryAfterMs: 1 } });
  it.each([
    ["400", answering(400), true],
    ["401", answering(401), true],
    ["404", answering(404), true],
    ["408", answering(408), true],
    ["429", answering(429), true],
    ["429 of a host", answering(429, limited), true],
    ["201", answering(201), true],
    ["302", answering(302), true],
    ["500", answering(500), false],
    ["503", answering(503), false],
    ["a connection that broke", (response: ServerResponse) => response.destroy(), false],
  ] as const)("tries none after %s", async (_name, answer, idempotent) => {
    const { settled, tries } = await twoInstances(answer, { idempotent });
    expect(settled).toMatchObject({ name: "CallError" });
    expect(tries).toEqual([1, 0]);
  });

  it.each([
    ["500", answering(500)],
    ["502", answering(502)],
    ["503", answering(503)],
    ["504", answering(504)],
    ["a connection that broke", (response: ServerResponse) => response.destroy()],
  ] as const)("tries one after %s when the call is idempotent", async (_name, answer) => {
    const { settled, tries } = await twoInstances(answer, { idempotent: true });
    expect(settled).toBe("done");
    expect(tries).toEqual([1, 1]);
  });

  it("tries all others when one cannot be reached, whatever maxAttempts is above 1", async () => {
    await using good = await startCounting(ok);
    const dead = await Promise.all([1, 2, 3, 4].map(() => closedPort()));
    await using channel = openHttpChannel([...dead, good.port], { maxAttempts: 2 });
    for (let n = 0; n < 5; n++) expect(String((await call(channel)).body)).toBe("done");
    expect(good.requests).toHaveLength(5);
  });

  it("leaves all attempts in the error, and makes no more than maxAttempts", async () => {
    await using first = await startCounting(answering(450, "full"));
    await using second = await startCounting(answering(450, "full"));
    await using third = await startCounting(answering(450, "full"));
    const ports = [first.port, second.port, third.port];
    await using twice = openHttpChannel(ports, { maxAttempts: 2 });
    const error = await failure(twice);
    expect(error).toMatchObject({ reason: "QUEUE_FULL", httpStatus: 450 });
    expect(error.attempts.map(({ reason }) => reason)).toEqual(["QUEUE_FULL", "QUEUE_FULL"]);
    expect(new Set(error.attempts.map(({ instance }) => instance)).size).toBe(2);
    await using once = openHttpChannel(ports, { maxAttempts: 1 });
    expect(await failure(once)).toMatchObject({ attempts: [{}] });
  });

  it("sends an idempotent call again over a connection that breaks half through the answer", async () => {
    let tries = 0;
    await using server = await startRawServer((socket) => {
      tries++;
      const head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
      if (tries === 1) socket.end(`${head}do`);
      else socket.write(`${head}done`);
    });
    await using channel = openHttpChannel([server.port]);
    expect(String((await call(channel, { idempotent: true })).body)).toBe("done");
    expect(tries).toBe(2);
  });

  it("spreads calls by weight, to the call", async () => {
    await using heavy = await startCounting(ok);
    await using light = await startCounting(ok);
    await using channel = openHttpChannel([`${heavy.port}=3`, `${light.port}=1`]);
    await Promise.all(Array.from({ length: 400 }, () => call(channel)));
    for (let n = 0; n < 40; n++) await call(channel);
    expect(Math.abs(heavy.requests.length - 330)).toBeLessThanOrEqual(1);
    expect(Math.abs(light.requests.length - 110)).toBeLessThanOrEqual(1);
  });

  it("lets a call end on an instance that leaves the list", async () => {
    await using leaving = await startHttpServer((_request, _body, response) => {
      setTimeout(() => response.end("slow"), 100);
    });
    await using staying = await startCounting(ok);
    await using channel = openHttpChannel([leaving.port]);
    const slow = call(channel);
    while (leaving.open() === 0) await sleep(5);
    await sleep(20);
    channel.source.list(String(staying.port));
    expect(String((await call(channel)).body)).toBe("done");
    expect(String((await slow).body)).toBe("slow");
    while (leaving.open() > 0) await sleep(5);
  });
});

describe("callOverHttp: an instance that goes and comes back", () => {
  it("is left out while it is gone, and used again", async () => {
    await using staying = await startCounting(ok);
    const gone = await startCounting(ok);
    await using channel = openHttpChannel([gone.port, staying.port]);
    for (let n = 0; n < 4; n++) await call(channel);
    await gone[Symbol.asyncDispose]();
    await sleep(20);
    for (let n = 0; n < 10; n++) expect(String((await call(channel)).body)).toBe("done");
    expect(channel.core.pool.usable).toBe(1);
    await using back = await startHttpServer(
      (_request, _body, response) => response.end("back"),
      undefined,
      gone.port,
    );
    while (channel.core.pool.usable < 2) await sleep(20);
    const answers = [await call(channel), await call(channel)].map(({ body }) => String(body));
    expect(answers.toSorted()).toEqual(["back", "done"]);
    expect(back.open()).toBeGreaterThan(0);
  });
});

describe("callOverHttp: calls that are given up", () => {
  it("ends after timeoutMs with all its attempts", async () => {
    await using server = await startHttpServer(() => {});
    await using channel = openHttpChannel([server.port]);
    const error = await failure(channel, { timeoutMs: 100 });
    expect(error).toMatchObject({ reason: "DEADLINE_EXCEEDED", remote: false, attempts: [{}] });
    while (server.open() > 0) await sleep(5);
  });

  it("rejects with the reason of its signal, aborted before, under way, or while it waits for the list", async () => {
    await using server = await startHttpServer(() => {});
    await using channel = openHttpChannel([server.port]);
    await using empty = openHttpChannel([]);
    const reason = new Error("no longer wanted");
    await expect(call(channel, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    for (const where of [channel, empty]) {
      const abort = new AbortController();
      const reports: CallReport[] = [];
      setTimeout(() => abort.abort(reason), 50);
      const { signal } = abort;
      const settled = call(where, { signal, onReport: (report) => reports.push(report) });
      await expect(settled).rejects.toBe(reason);
      expect(reports).toHaveLength(1);
    }
  });

  it("does not mind a signal that is aborted after the answer", async () => {
    await using server = await startCounting(ok);
    await using channel = openHttpChannel([server.port]);
    const abort = new AbortController();
    expect(String((await call(channel, { signal: abort.signal })).body)).toBe("done");
    abort.abort();
    await sleep(10);
  });

  it("rejects with CLIENT_CLOSED when the channel is closed, and after it", async () => {
    await using server = await startHttpServer(() => {});
    const channel = openHttpChannel([server.port]);
    const pending = failure(channel);
    while (server.open() === 0) await sleep(5);
    await channel.core.close();
    expect(await pending).toMatchObject({ reason: "CLIENT_CLOSED", remote: false });
    expect(await failure(channel)).toMatchObject({ reason: "CLIENT_CLOSED" });
    while (server.open() > 0) await sleep(5);
  });
});
