import { createHash, createHmac } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";
import { type CallReport, type PredictClientOptions, StringRequest } from "inferwire/eas";
import { describe, expect, it } from "vitest";
import { runScript } from "../support/client-child.js";
import { clientOf, direct, errorOf, pair, server, textOf } from "../support/eas-clients.js";
import { type EasAnswer, listing, type SeenRequest } from "../support/eas-server.js";
import { until } from "../support/until.js";

describe("PredictClient, signed", () => {
  /** What the service would compute over the headers as they came. */
  function signatureOf({ headers, target }: SeenRequest, token: string): string {
    const { "content-md5": md5, "content-type": type, date } = headers;
    const text = ["POST", String(md5), type, date, target].join("\n");
    return `EAS ${createHmac("sha1", token).update(text).digest("base64")}`;
  }

  it.each<[string, string, PredictClientOptions]>([
    ["a body", "hello", {}],
    ["an empty body", "", {}],
    [
      "path, query and type",
      "hello",
      { path: "v1", query: { uid: "1", flag: null }, contentType: "application/json" },
    ],
    ["a compressed body", "hello".repeat(100), { compress: "gzip" }],
    ["a token function", "hello", { token: async () => "s3cret" }],
  ])("signs %s as it is sent", async (_, text, options) => {
    const echo = await server(() => ({}));
    const client = clientOf(echo.url, "demo", { token: "s3cret", signed: true, ...options });
    await client.predict(new StringRequest(text));
    const [request] = echo.requests;
    if (request === undefined) throw new Error("nothing was sent");
    const { authorization, date, "content-md5": md5 } = request.headers;
    expect(authorization).toBe(signatureOf(request, "s3cret"));
    expect(md5).toBe(createHash("md5").update(request.body).digest("hex"));
    expect(date).toBe(new Date(String(date)).toUTCString());
    expect(Math.abs(Date.parse(String(date)) - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    ["hello", "application/octet-stream", "", "NDVjgPS4HgfN0L6ceXNgbI7z3oo="],
    ["", "application/octet-stream", "", "BRHyw2uycChvTK+Pjj16Rs4GK2Q="],
    ["hello", "application/json", "v1/chat", "ksRNf6mNZoZosrKWCrXd0KK6b90="],
  ])("signs %j as %s to %j like the EAS SDKs", async (text, contentType, path, signature) => {
    const echo = await server(() => ({}));
    const client = clientOf(echo.url, "demo", { token: "s3cret", signed: true, contentType, path });
    client.addHeaders({ Date: "Sat, 21 Nov 2026 10:00:00 GMT" });
    await client.predict(new StringRequest(text));
    expect(echo.requests[0]?.headers.authorization).toBe(`EAS ${signature}`);
  });
});

describe("PredictClient, trying again", () => {
  const fine = (): EasAnswer => ({ body: "fine" });

  it.each<[string, EasAnswer]>([
    ["a full queue", { status: 450, body: "queue is full" }],
    ["nobody behind the gateway", { status: 503, body: "no healthy upstream" }],
  ])("goes to another instance after %s", async (_, answer) => {
    const { client, servers } = await pair([() => answer, fine]);
    for (let call = 0; call < 6; call++) expect(await textOf(client)).toBe("fine");
    expect(servers[0].requests.length).toBeGreaterThan(0);
  });

  it.each<[string, EasAnswer, object]>([
    ["500", { status: 500, body: "boom" }, { httpStatus: 500, remote: true }],
    ["502", { status: 502 }, { httpStatus: 502 }],
    ["503 of a service", { status: 503, body: "busy" }, { httpStatus: 503 }],
    ["401", { status: 401 }, { httpStatus: 401, reason: "UNAUTHENTICATED" }],
    ["400", { status: 400, body: "bad body" }, { httpStatus: 400 }],
    ["404", { status: 404 }, { httpStatus: 404 }],
    ["429", { status: 429 }, { httpStatus: 429, reason: "RATE_LIMITED" }],
    ["201", { status: 201, body: "made" }, { httpStatus: 201 }],
    ["a redirect", { status: 302, headers: { location: "/x" } }, { httpStatus: 302 }],
    ["a connection that breaks", "reset", { reason: "CONNECTION_LOST", httpStatus: undefined }],
  ])("makes one attempt when the answer is %s", async (_, answer, expected) => {
    const { client, servers } = await pair([() => answer, () => answer]);
    const error = await errorOf(textOf(client));
    expect(error).toMatchObject(expected);
    expect(error.attempts.length).toBe(1);
    expect(servers[0].requests.length + servers[1].requests.length).toBe(1);
    if (answer !== "reset")
      expect(Buffer.from(error.body ?? "").toString()).toBe(
        answer === "never" ? "" : (answer.body ?? ""),
      );
  });

  it.each<[string, EasAnswer]>([
    ["500", { status: 500 }],
    ["502", { status: 502 }],
    ["a connection that breaks", "reset"],
  ])("repeats an idempotent call after %s", async (_, answer) => {
    const { client } = await pair([() => answer, fine], { idempotent: true });
    for (let call = 0; call < 4; call++) expect(await textOf(client)).toBe("fine");
  });

  it.each([
    [0, 1],
    [1, 1],
    [3, 3],
  ])("makes with retryCount %i at most %i attempts, and shows them", async (retryCount, count) => {
    const full = (): EasAnswer => ({ status: 450 });
    const { client, servers } = await pair([full, full], { retryCount });
    const error = await errorOf(textOf(client));
    expect(error).toMatchObject({ reason: "QUEUE_FULL", httpStatus: 450 });
    expect(error.attempts.map(({ reason }) => reason)).toEqual(Array(count).fill("QUEUE_FULL"));
    expect(new Set(error.attempts.map(({ instance }) => instance)).size).toBe(Math.min(2, count));
    expect(servers[0].requests.length + servers[1].requests.length).toBe(count);
  });

  it("goes to another instance when one is dead", async () => {
    const echo = await server();
    const directory = await server(() => listing(1, echo.port));
    const client = clientOf(directory.url, "mnist", direct);
    for (let call = 0; call < 4; call++) expect(await textOf(client)).toBe("hello");
  });

  it("shows neither token nor payload nor query in a message", async () => {
    const { client } = await pair([() => ({ status: 500 }), () => ({ status: 500 })], {
      token: "hush1",
      query: { key: "hush2" },
      headers: { "x-secret": "hush3" },
    });
    const error = await errorOf(textOf(client, "hush4"));
    expect(error.message).toContain("/api/predict/mnist");
    expect(error.message).not.toContain("hush");
  });
});

describe("PredictClient, ends of calls", () => {
  it("keeps the deadline, of all attempts together", async () => {
    const { client } = await pair([() => "never", () => "never"]);
    const error = await errorOf(client.predict(new StringRequest("a"), { timeoutMs: 100 }));
    expect(error).toMatchObject({ reason: "DEADLINE_EXCEEDED", remote: false });
  });

  it("rejects with the signal's reason", async () => {
    const { client } = await pair([() => "never", () => "never"]);
    const abort = new AbortController();
    const call = client.predict(new StringRequest("a"), { signal: abort.signal });
    const reason = new Error("enough");
    setImmediate(() => abort.abort(reason));
    await expect(call).rejects.toBe(reason);
  });

  it("ends calls under way when it is closed", async () => {
    const { client, servers } = await pair([() => "never", () => "never"]);
    const call = errorOf(textOf(client));
    await until(() => servers[0].requests.length + servers[1].requests.length === 1);
    await Promise.all([client.close(), client.close()]);
    expect((await call).reason).toBe("CLIENT_CLOSED");
  });

  it("ends init and calls that wait for the first list when it is closed", async () => {
    const directory = await server(() => "never");
    const client = clientOf(directory.url, "mnist", direct);
    const waiting = [errorOf(client.init()), errorOf(textOf(client))];
    await until(() => directory.requests.length === 1);
    await client.close();
    const reasons = (await Promise.all(waiting)).map(({ reason }) => reason);
    expect(reasons).toEqual(["CLIENT_CLOSED", "CLIENT_CLOSED"]);
  });

  it("refuses setters and unknown call options", async () => {
    const { client } = await pair([() => ({}), () => ({})]);
    expect(() => client.setToken("a")).toThrow("setToken() after init()");
    const options: object = { timeout: 5 };
    await expect(client.predict(new StringRequest("a"), options)).rejects.toThrow(
      'call options has no option "timeout", did you mean "timeoutMs"?',
    );
  });

  it("tells what a call went through", async () => {
    const { client, servers } = await pair([() => ({}), () => ({})]);
    const reports: CallReport[] = [];
    await client.predict(new StringRequest("a"), { onReport: (report) => reports.push(report) });
    expect(reports).toMatchObject([{ candidates: 2, attempts: [{ code: 0 }] }]);
    const ports = servers.map(({ port }) => `127.0.0.1:${port}`);
    expect(ports).toContain(reports[0]?.attempts[0]?.instance);
  });

  it("keeps no process alive when it is idle, listening for changes or not", async () => {
    const echo = await server();
    const directory = await server(() => listing(echo.port));
    const script = (body: string): string => `
      import { PredictClient, StringRequest } from "inferwire/eas";
      const client = new PredictClient("${directory.url}", "mnist", { endpointType: "DIRECT" });
      ${body}
    `;
    const used = await runScript(
      script(
        `await client.init(); console.log(String(await client.predict(new StringRequest("hello"))));`,
      ),
    );
    expect(used).toMatchObject({ code: 0, output: "hello" });
    expect(used.durationMs).toBeLessThan(5_000);
    expect(await runScript(script(""))).toMatchObject({ code: 0, output: "" });
  });

  it("loads neither the host nor grpc-js", async () => {
    const run = await runScript(`
      import { register } from "node:module";
      const loader = 'export async function load(url, context, next) { if (/@grpc|src.host|src.server/.test(url)) console.log(url); return next(url, context); }';
      register("data:text/javascript," + encodeURIComponent(loader));
      await import("inferwire/eas");
    `);
    expect(run).toMatchObject({ code: 0, output: "" });
  });
});

describe("PredictClient, compressed answers", () => {
  const text = "hello ".repeat(200);
  it.each<[string, Uint8Array, PredictClientOptions]>([
    ["gzip", gzipSync(text), {}],
    ["x-gzip", gzipSync(text), {}],
    ["deflate", deflateSync(text), {}],
    ["zlib", deflateSync(text), {}],
    ["", gzipSync(text), { decompress: "gzip" }],
    ["deflate", gzipSync(text), { decompress: "gzip" }],
    ["identity", Buffer.from(text), {}],
    ["gzip", Buffer.from(text), { decompress: false }],
  ])("are undone: %s", async (encoding, body, options) => {
    const headers = encoding === "" ? {} : { "content-encoding": encoding };
    const { url } = await server(() => ({ headers, body }));
    expect(await textOf(clientOf(url, "mnist", options))).toBe(text);
  });

  it.each(["zlib", "snappy", "lz4-frame", "zstd"] as const)("round trip: %s", async (name) => {
    const said = name === "lz4-frame" ? "lz4" : name;
    const echo = await server(({ body }) => ({ headers: { "content-encoding": said }, body }));
    const client = clientOf(echo.url, "mnist", { compress: name });
    expect(await textOf(client, text)).toBe(text);
    expect(echo.requests[0]?.body.length).toBeLessThan(text.length);
  });

  it("round trip: lz4 blocks, with the length beside them", async () => {
    const headers = { "content-encoding": "lz4", "x-lz4-original-length": String(text.length) };
    const echo = await server(({ body }) => ({ headers, body }));
    expect(await textOf(clientOf(echo.url, "mnist", { compress: "lz4" }), text)).toBe(text);
  });

  it.each<[string, string, Uint8Array, string]>([
    ["not gzip", "gzip", Buffer.from("hello"), "ANSWER_MALFORMED"],
    ["cut short", "gzip", gzipSync(text).subarray(0, 20), "ANSWER_MALFORMED"],
    ["unknown", "br", Buffer.from("hello"), "ANSWER_MALFORMED"],
    ["a bomb", "gzip", gzipSync(Buffer.alloc(1_000_000)), "MESSAGE_TOO_LARGE"],
    ["too large", "identity", Buffer.alloc(20_000), "MESSAGE_TOO_LARGE"],
  ])("are refused when %s", async (_, encoding, body, reason) => {
    const { url } = await server(() => ({ headers: { "content-encoding": encoding }, body }));
    const error = await errorOf(textOf(clientOf(url, "mnist", { maxMessageBytes: 10_000 })));
    expect(error).toMatchObject({ reason, remote: false });
    expect(error.attempts.length).toBe(1);
  });
});
