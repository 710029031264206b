import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/core/serving-error.js";
import { advertisedAddress } from "../../../src/host/advertise.js";
import { type HostOptions, hostDefaults } from "../../../src/host/host-options.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";

const bad: readonly [string, Record<string, unknown>, RegExp][] = [
  ["an unknown name", { endpiont: ":1" }, /no option "endpiont", did you mean "endpoint"/],
  [
    "an unknown codec",
    { decompressor: "gzap" },
    /options\.decompressor is "gzap", did you mean "gzip"/,
  ],
  ["no name of a codec", { decompressor: "" }, /options\.decompressor is ""/],
  [
    "a digest check by number",
    { checkContentMd5: 1 },
    /options\.checkContentMd5 is 1, expected true or/,
  ],
  [
    "a clock skew below 0",
    { maxClockSkewMs: -1 },
    /options\.maxClockSkewMs is -1, expected an integer from 0/,
  ],
  ["a text for true", { exposeErrors: "yes" }, /options\.exposeErrors is "yes", expected true or/],
  ["a number for true", { loadReport: 1 }, /options\.loadReport is 1, expected true or/],
  ["a text for false", { otherPaths: "no" }, /options\.otherPaths is "no", expected true or/],
  ["an empty token", { token: "" }, /options\.token/],
  ["a list with an empty token", { adminToken: ["a", ""] }, /options\.adminToken/],
  ["a token that is no text", { token: 5 }, /options\.token/],
  ["a function as configuration", { modelConfig: () => 1 }, /options\.modelConfig holds what/],
  ["an unknown lane", { lane: "threads" }, /options\.lane is "threads", did you mean "thread"/],
  [
    "processes in the host's own thread",
    { lane: "inline", workerProcesses: 2 },
    /options\.lane is "inline" with 2 workerProcesses, expected "process"/,
  ],
  [
    "more ready lanes than there are",
    { workerProcesses: 2, minReadyLanes: 3 },
    /options\.minReadyLanes is 3, expected at most the 2 lanes/,
  ],
  ["a module that is a bare name", { module: "model" }, /options\.module is "model", expected a/],
  ["a negative rate", { requestsPerSecond: -1 }, /options\.requestsPerSecond is -1/],
  ["a ratio above 1", { callLogRatio: 1.5 }, /options\.callLogRatio is 1\.5/],
  [
    "warm-up texts",
    { warmUp: ["text"] },
    /options\.warmUp is a list of 1, expected a list of bytes/,
  ],
  [
    "a warm-up file that is not there",
    { warmUp: "./none.txt" },
    /options\.warmUp names "\.\/none\.txt"/,
  ],
  ["a metric without help", { metrics: { hits: 1 } }, /options\.metrics has "hits": 1/],
  ["a metric with blanks", { metrics: { "a b": "" } }, /options\.metrics has "a b"/],
  [
    "middleware that is none",
    { middleware: [1] },
    /options\.middleware has 1, expected nice-grpc server middleware/,
  ],
  [
    "a notice that is no text",
    { notices: [1] },
    /options\.notices is a list of 1, expected a list/,
  ],
  ["an endpoint that is none", { endpoint: "8080" }, /options\.endpoint is "8080", expected/],
  ["a service name that is none", { service: "a/b" }, /options\.service is "a\/b"/],
  ["a directory without a service", { directory: "d:1" }, /options\.service is missing/],
  ["a directory that is no address", { directory: "d", service: "s" }, /options\.directory is "d"/],
  ["a weight below 0", { weight: -1 }, /options\.weight is -1/],
  ["a weight that is no number", { weight: Number.NaN }, /options\.weight is NaN/],
  [
    "no threads",
    { workerThreads: 0 },
    /options\.workerThreads is 0, expected an integer from 1 to 1024/,
  ],
  ["a timeout of 0", { requestTimeoutMs: 0 }, /or Infinity/],
  ["a short lease", { leaseTtlMs: 10 }, /options\.leaseTtlMs is 10/],
  ["a name with blanks", { name: "a b" }, /options\.name/],
  ["an unknown open path", { open: ["pign"] }, /did you mean "ping"/],
  ["an unknown level", { logLevel: "loud" }, /options\.logLevel/],
  [
    "a directory that is no text",
    { directory: 5, service: "s" },
    /options\.directory is 5, expected a text/,
  ],
  ["a name that is no text", { name: 5 }, /options\.name is 5/],
  ["a logger that is none", { logger: {} }, /options\.logger has no method "debug"/],
  [
    "TLS with a misspelt name",
    { tls: { cert: "c", key: "k", clientCA: "x" } },
    /options\.tls has no option "clientCA", did you mean "clientCa"/,
  ],
  ["TLS without a key", { tls: { cert: "c" } }, /options\.tls needs both/],
  ["TLS that OpenSSL cannot read", { tls: { cert: "c", key: "k" } }, /options\.tls cannot be used/],
  [
    "TLS to directories that cannot be read",
    { directoryTls: { ca: "nonsense" } },
    /options\.directoryTls\.ca is no PEM/,
  ],
  [
    "an address nobody can call",
    { advertise: "0.0.0.0", service: "s", directory: "d:1" },
    /which nobody can call/,
  ],
  ["an unknown limit", { limits: { maxHeaders: 1 } }, /options\.limits has no option/],
  [
    "a limit out of range",
    { limits: { maxHeaderCount: 1 } },
    /options\.limits\.maxHeaderCount is 1/,
  ],
];

describe("resolveHostOptions", () => {
  it("takes its defaults as they are", () => {
    expect(resolveHostOptions(hostDefaults)).toEqual(resolveHostOptions({}));
  });

  for (const [name, options, message] of bad) {
    it(`refuses ${name} before anything is opened`, () => {
      const resolve = () => resolveHostOptions(options as HostOptions);
      expect(resolve).toThrow(message);
      expect(resolve).toThrow(ConfigError);
    });
  }

  it("derives app from service and hands maxMessageBytes to the limits", () => {
    const resolved = resolveHostOptions({ service: "my_model", maxMessageBytes: 10 });
    expect([resolved.app, resolved.limits.maxMessageBytes]).toEqual(["my-model", 10]);
  });
});

describe("advertisedAddress", () => {
  const bound = { host: "127.0.0.1", port: 0 };
  it("is the given one, else the bound one", () => {
    expect(advertisedAddress("10.0.0.1:99", bound)).toEqual({ ip: "10.0.0.1", port: 99 });
    expect(advertisedAddress("fe80::1", bound)).toEqual({ ip: "fe80::1", port: undefined });
    expect(advertisedAddress(undefined, bound)).toEqual({ ip: "127.0.0.1", port: undefined });
    expect(advertisedAddress(undefined, { host: "localhost", port: 0 }).ip).toBe("127.0.0.1");
  });
  it("refuses names, since directories list addresses", () => {
    expect(() => advertisedAddress("model.local", bound)).toThrow(
      /options\.advertise is "model\.local"/,
    );
    expect(() => advertisedAddress(undefined, { host: "model.local", port: 0 })).toThrow(
      /is a name/,
    );
  });
});
