import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../../src/client/client-options.js";
import { resolveChannelOptions } from "../../../src/client/resolve-options.js";
import { silentLogger } from "../../../src/core/ports.js";

const target = "127.0.0.1:1";
const pair = { cert: "-----BEGIN CERTIFICATE-----\nx", key: "-----BEGIN PRIVATE KEY-----\nx" };

describe("resolveChannelOptions", () => {
  it("fills the defaults that the documents promise", () => {
    expect(resolveChannelOptions({ target })).toMatchObject({
      tls: undefined,
      directoryToken: undefined,
      directoryTls: undefined,
      pollIntervalMs: 5_000,
      pingIntervalMs: 0,
      maxMessageBytes: 67_108_864,
      logger: silentLogger,
      seed: undefined,
      policy: {
        token: undefined,
        timeoutMs: 5_000,
        streamIdleTimeoutMs: 60_000,
        maxAttempts: 3,
        retryBudgetRatio: 0.1,
        firstListTimeoutMs: 5_000,
        pool: { connectTimeoutMs: 2_000 },
      },
    });
  });

  it("takes an undefined option for one that is left out, and tls true for the system's authorities", () => {
    const options = { target, timeoutMs: undefined, tls: true, directoryTls: false };
    expect(resolveChannelOptions(options)).toMatchObject({
      policy: { timeoutMs: 5_000 },
      tls: {},
      directoryTls: undefined,
    });
  });

  const wrong: readonly [string, object, string][] = [
    [
      "a key that does not exist",
      { timeoutMS: 1 },
      'has no option "timeoutMS", did you mean "timeoutMs"?',
    ],
    ["a hedge at once", { hedgeDelayMs: 0 }, "hedgeDelayMs is 0"],
    ["ejection of most", { ejection: { maxRatio: 0.6 } }, "ejection.maxRatio is 0.6"],
    ["an unknown picker", { balance: "least-request" }, "least-requests"],
    ["an empty subset", { subsetSize: 0 }, "subsetSize is 0"],
    ["no target", { target: undefined }, "target is empty"],
    ["a target of another kind", { target: "localhost" }, "target is"],
    ["a time that is none", { timeoutMs: 0 }, "timeoutMs is 0"],
    ["a time in words", { timeoutMs: "5s" }, 'timeoutMs is "5s"'],
    ["NaN", { connectTimeoutMs: Number.NaN }, "connectTimeoutMs is NaN"],
    ["half an attempt", { maxAttempts: 1.5 }, "maxAttempts is 1.5"],
    ["too many attempts", { maxAttempts: 11 }, "maxAttempts is 11"],
    ["a ratio above 1", { retryBudgetRatio: 2 }, "retryBudgetRatio is 2"],
    ["pings that flood", { pingIntervalMs: 10 }, "pingIntervalMs (unless 0) is 10"],
    ["an unlimited message", { maxMessageBytes: Number.POSITIVE_INFINITY }, "maxMessageBytes"],
    ["a logger that is none", { logger: () => {} }, 'logger has no method "debug"'],
    ["tls of the wrong kind", { tls: "yes" }, 'tls is "yes"'],
    ["a tls key that does not exist", { tls: { cacert: "" } }, 'tls has no option "cacert"'],
    ["half a key pair", { tls: { cert: pair.cert } }, "tls.cert is given without tls.key"],
    ["a path for a PEM", { directoryTls: { ca: "/ca.pem" } }, "directoryTls.ca is no PEM"],
    ["a broken PEM", { tls: pair }, "tls: ca, cert or key is no usable PEM"],
    ["a seed that is none", { seed: "7" }, 'seed is "7"'],
    ["a seed that is NaN", { seed: Number.NaN }, "seed is NaN"],
    ["a seed without end", { seed: Number.POSITIVE_INFINITY }, "seed is Infinity"],
    ["a seed of null", { seed: null }, "seed is null"],
    ["a large integer for a seed", { seed: 7n }, "seed is 7"],
    ["a timeout of NaN", { timeoutMs: Number.NaN }, "timeoutMs is NaN"],
    ["a negative timeout", { timeoutMs: -1 }, "timeoutMs is -1"],
    ["a timeout of decades", { timeoutMs: 1e12 }, "timeoutMs is 1000000000000"],
    ["a timeout of minus infinity", { timeoutMs: Number.NEGATIVE_INFINITY }, "timeoutMs is -Inf"],
    ["a number as a text", { timeoutMs: "5" }, 'timeoutMs is "5"'],
    ["a stream without a gap", { streamIdleTimeoutMs: 0 }, "streamIdleTimeoutMs is 0"],
    ["a hedge of NaN", { hedgeDelayMs: Number.NaN }, "hedgeDelayMs is NaN"],
    ["a hedge without a budget", { hedgeDelayMs: 9, retryBudgetRatio: 0 }, "retryBudgetRatio 0"],
    ["no end of connecting", { connectTimeoutMs: Number.POSITIVE_INFINITY }, "is Infinity"],
    [
      "an ejection for ever",
      { ejection: { maxMs: Number.POSITIVE_INFINITY } },
      "ejection.maxMs is Infinity",
    ],
    ["a hedge and one attempt", { hedgeDelayMs: 9, maxAttempts: 1 }, "9 with maxAttempts 1"],
    [
      "a hedge too late",
      { hedgeDelayMs: 5_000 },
      "hedgeDelayMs is 5000, expected less than timeou",
    ],
  ];

  it.each(wrong)("refuses %s", (_name, options, message) => {
    const given = { target, ...options } as ChannelOptions;
    expect(() => resolveChannelOptions(given)).toThrow(message);
    expect(() => resolveChannelOptions(given)).toThrow(
      expect.objectContaining({ name: "ConfigError" }),
    );
  });

  it("refuses a token that cannot be sent, without showing it", () => {
    const given = { target, token: "secret\n" };
    expect(() => resolveChannelOptions(given)).toThrow("token is a text that cannot be sent");
    expect(() => resolveChannelOptions(given)).not.toThrow("secret");
  });
});
