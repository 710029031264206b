import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { PredictClient } from "../../../src/eas/predict-client.js";
import type { PredictClientOptions } from "../../../src/eas/predict-client-options.js";
import type { PredictRequest } from "../../../src/eas/predict-request.js";
import { resolvePredictClientOptions } from "../../../src/eas/resolve-predict-client-options.js";

describe("resolvePredictClientOptions", () => {
  it("fills the defaults that the documents promise", () => {
    expect(resolvePredictClientOptions(undefined)).toEqual({
      endpointType: "DEFAULT",
      headers: { "content-type": "application/octet-stream" },
      path: "",
      query: {},
      url: undefined,
      compress: undefined,
      decompress: undefined,
      idempotent: false,
      tls: undefined,
      signingToken: undefined,
      pollIntervalMs: 3_000,
      maxMessageBytes: 67_108_864,
      directoryToken: undefined,
      directoryTls: undefined,
      vipserverList: "jmenv.tbsite.net:8080",
      logger: silentLogger,
      seed: undefined,
      policy: {
        token: undefined,
        timeoutMs: 5_000,
        streamIdleTimeoutMs: Number.POSITIVE_INFINITY,
        maxAttempts: 5,
        hedgeDelayMs: Number.POSITIVE_INFINITY,
        pool: {
          balance: "weighted-round-robin",
          ejection: {
            consecutiveFailures: 5,
            failureRatio: 0.5,
            slowerThan: Number.POSITIVE_INFINITY,
            baseMs: 10_000,
            maxMs: 300_000,
            maxRatio: 0.5,
          },
          slowStartMs: 0,
          subsetSize: Number.POSITIVE_INFINITY,
          loadReports: false,
          idleTimeoutMs: 240_000,
          healthCheck: false,
          connectTimeoutMs: 2_000,
        },
        retryBudgetRatio: 0.1,
        firstListTimeoutMs: 5_000,
      },
    });
  });

  it("hands what chooses and watches instances to the pool", () => {
    const pool = {
      balance: "peak-ewma",
      slowStartMs: 1_000,
      subsetSize: 20,
      loadReports: true,
      idleTimeoutMs: 5_000,
    } as const;
    const ejection = { slowerThan: 3 };
    const { policy } = resolvePredictClientOptions({ ...pool, ejection, hedgeDelayMs: 100 });
    expect(policy.pool).toMatchObject({ ...pool, ejection: { slowerThan: 3, maxRatio: 0.5 } });
    expect(policy.hedgeDelayMs).toBe(100);
    expect(resolvePredictClientOptions({ ejection: false }).policy.pool.ejection).toBeUndefined();
  });

  it("sends the token, or signs with it", () => {
    const bare = resolvePredictClientOptions({ token: "s3cret" });
    expect([bare.policy.token, bare.signingToken]).toEqual(["s3cret", undefined]);
    const signed = resolvePredictClientOptions({ token: "s3cret", signed: true });
    expect([signed.policy.token, signed.signingToken]).toEqual([undefined, "s3cret"]);
    expect(resolvePredictClientOptions({ token: "" }).policy.token).toBeUndefined();
  });

  it("counts attempts as Python does, and 0 as 1", () => {
    const attempts = (retryCount: number): number =>
      resolvePredictClientOptions({ retryCount }).policy.maxAttempts;
    expect([0, 1, 2, 10].map(attempts)).toEqual([1, 1, 2, 10]);
  });

  it("writes header names in lower case; the caller's own content type wins", () => {
    const headers = { "X-Trace": "1", "Content-Type": "application/json" };
    expect(resolvePredictClientOptions({ headers, contentType: "text/plain" }).headers).toEqual({
      "x-trace": "1",
      "content-type": "application/json",
    });
  });

  const wrong: readonly [string, object, string][] = [
    ["an unknown key", { retryCounts: 1 }, 'no option "retryCounts", did you mean "retryCount"?'],
    ["an endpoint type", { endpointType: "direct" }, 'endpointType is "direct", did you mean'],
    ["a time", { timeoutMs: 0 }, "timeoutMs is 0"],
    ["attempts", { retryCount: 11 }, "retryCount is 11, expected an integer from 0 to 10"],
    ["a hedge at once", { hedgeDelayMs: 0 }, "hedgeDelayMs is 0"],
    ["a hedge of a single attempt", { hedgeDelayMs: 9, retryCount: 1 }, "with retryCount 1"],
    ["a hedge without a budget", { hedgeDelayMs: 9, retryBudgetRatio: 0 }, "retryBudgetRatio 0"],
    ["a hedge of no attempt", { hedgeDelayMs: 9, retryCount: 0 }, "with retryCount 0"],
    ["a hedge after the end", { hedgeDelayMs: 50, timeoutMs: 50 }, "than timeoutMs, 50"],
    ["a balance", { balance: "least-request" }, 'did you mean "least-requests"?'],
    ["an ejection", { ejection: { maxRatio: 0.6 } }, "ejection.maxRatio is 0.6"],
    ["a slow start", { slowStartMs: -1 }, "slowStartMs is -1"],
    ["a subset of none", { subsetSize: 0 }, "subsetSize is 0"],
    ["load reports", { loadReports: "yes" }, 'loadReports is "yes"'],
    ["an idle time", { idleTimeoutMs: 999 }, "idleTimeoutMs is 999"],
    ["a token", { token: "hush\n" }, "token is a text that cannot be sent"],
    ["a header's name", { headers: { "a b": "c" } }, 'headers has "a b", which cannot be set'],
    ["the transport's header", { headers: { Host: "c" } }, 'headers has "Host"'],
    ["a header's value", { headers: { a: "hush\r\n" } }, "headers.a cannot be sent as a header"],
    ["a content type", { contentType: "hush\n" }, "contentType cannot be sent"],
    ["a path", { path: "a#b" }, 'path is "a#b"'],
    ["a parameter", { query: { a: 1 } }, "query.a is 1"],
    ["a URL", { url: "" }, 'url is ""'],
    ["a codec", { compress: "lz5" }, 'compress is "lz5", did you mean "lz4"?'],
    ["a codec of answers", { decompress: true }, "decompress is true"],
    ["a flag", { idempotent: 1 }, "idempotent is 1, expected true or false"],
    ["signing", { signed: "yes" }, 'signed is "yes"'],
    ["tls", { tls: { cert: "x" } }, "tls.cert is given without tls.key"],
    ["VIPServer's list", { vipserverList: "http://x" }, 'vipserverList is "http://x"'],
    ["a logger", { logger: {} }, 'logger has no method "debug"'],
    ["polls that flood", { pollIntervalMs: 1 }, "pollIntervalMs is 1"],
  ];
  it.each(wrong)("refuses %s", (_, options, message) => {
    expect(() => resolvePredictClientOptions(options)).toThrow(message);
    expect(() => resolvePredictClientOptions(options)).not.toThrow(/hush/);
    expect(() => new PredictClient("http://gw", "mnist", options)).toThrow(message);
  });
});

describe("PredictClient, its setters", () => {
  const setters: readonly [string, (client: PredictClient) => void][] = [
    ["setEndpoint", (client) => client.setEndpoint("http://gw")],
    ["setServiceName", (client) => client.setServiceName("mnist")],
    ["setToken", (client) => client.setToken("s3cret")],
    ["setEndpointType", (client) => client.setEndpointType("")],
    ["setTimeout", (client) => client.setTimeout(1_000)],
    ["setRetryCount", (client) => client.setRetryCount(0)],
    ["addHeaders", (client) => client.addHeaders({ a: "b" })],
    ["setContentType", (client) => client.setContentType("application/json")],
    ["setRequestPath", (client) => client.setRequestPath("v1")],
    ["setQuery", (client) => client.setQuery({ a: null })],
    ["setUrl", (client) => client.setUrl("http://gw/x")],
    ["setCompress", (client) => client.setCompress("gzip")],
    ["setDecompress", (client) => client.setDecompress(false)],
    ["setIdempotent", (client) => client.setIdempotent(true)],
    ["setTls", (client) => client.setTls(false)],
    ["setSigned", (client) => client.setSigned(true)],
  ];

  it.each(setters)(
    "%s works before init and is refused after it, and after close",
    async (name, set) => {
      await using client = new PredictClient("http://gw", "mnist");
      set(client);
      await client.init();
      expect(() => set(client)).toThrow(`${name}() after init() or the first predict()`);
      await client.close();
      expect(() => set(client)).toThrow(`${name}() after close()`);
    },
  );

  it("refuse what the option would", () => {
    const client = new PredictClient();
    expect(() => client.setRetryCount(-1)).toThrow("retryCount is -1");
    const type: unknown = "GATEWAY";
    expect(() => client.setEndpointType(type as "DIRECT")).toThrow(
      'endpointType is "GATEWAY", known: DEFAULT, DIRECT, VIPSERVER',
    );
  });

  it("leave a client usable that endpoint or service have kept from beginning", async () => {
    await using client = new PredictClient("http://gw");
    await expect(client.init()).rejects.toThrow('service is ""');
    client.setServiceName("mnist");
    await client.init();
  });

  it("do not change what the caller has given", () => {
    const options: PredictClientOptions = { headers: { a: "1" } };
    new PredictClient("http://gw", "mnist", options).addHeaders({ A: "2" });
    expect(options).toEqual({ headers: { a: "1" } });
  });
});

describe("PredictClient.predict", () => {
  it.each<[unknown, string]>([
    ["hello", '"hello"'],
    [undefined, "undefined"],
    [null, "null"],
    [Buffer.from("hello"), "an object"],
    [{ encode: () => new Uint8Array() }, "an object"],
    [{ decode: () => "" }, "an object"],
  ])("refuses what is no request, telling of StringRequest: %s", async (given, shown) => {
    await using client = new PredictClient("http://gw", "mnist");
    await expect(client.predict(given as PredictRequest<string>)).rejects.toMatchObject({
      name: "ConfigError",
      reason: "INVALID_OPTION",
      message: `request is ${shown}, expected a request such as new StringRequest("..."), with encode() and decode()`,
    });
  });
});

describe("PredictClient, closed", () => {
  it("makes no call, with or without init before", async () => {
    const request = { encode: () => new Uint8Array(), decode: () => "" };
    for (const begin of [true, false]) {
      const client = new PredictClient("http://gw", "mnist");
      if (begin) await client.init();
      await client.close();
      await client.close();
      await expect(client.predict(request)).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
      await expect(client.init()).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
    }
  });
});
