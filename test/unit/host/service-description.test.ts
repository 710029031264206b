import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/core/serving-error.js";
import type { HostOptions } from "../../../src/host/host-options.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";
import { optionsFromServiceDescription } from "../../../src/host/service-description.js";

const read = (json: unknown): HostOptions =>
  optionsFromServiceDescription(json, { folder: "/service" });

const fields: readonly [string, object, object][] = [
  ["the service's name", { name: "mnist" }, { service: "mnist" }],
  ["the name in metadata", { metadata: { name: "mnist" } }, { service: "mnist" }],
  ["a name in both places", { name: "a", metadata: { name: "a" } }, { service: "a" }],
  ["the token", { token: "t" }, { token: "t" }],
  [
    "the module, beside the description",
    { processor_entry: "./app.js" },
    { module: "file:///service/app.js" },
  ],
  ["a module's URL", { processor_entry: "file:///a/b.js" }, { module: "file:///a/b.js" }],
  ["the model's path as it is", { model_path: "oss://b/m/" }, { modelPath: "oss://b/m/" }],
  ["a model configuration of text", { model_config: "depth=3" }, { modelConfig: "depth=3" }],
  ["one that is an object", { model_config: { depth: 3 } }, { modelConfig: { depth: 3 } }],
  [
    "the warm-up file, beside the description",
    { warm_up_data_path: "data/warm.txt" },
    { warmUp: resolve("/service/data/warm.txt") },
  ],
  [
    "metrics by name",
    { metrics: ["hits", { name: "misses", help: "cache misses" }] },
    { metrics: { hits: "hits", misses: "cache misses" } },
  ],
  [
    "metrics with their help",
    { metrics: { hits: "cache hits", misses: "" } },
    { metrics: { hits: "cache hits", misses: "misses" } },
  ],
  ["the decompressor", { "metadata.rpc.decompressor": "lz4" }, { decompressor: "lz4" }],
  ["rpc nested", { metadata: { rpc: { keepalive: 100 } } }, { requestTimeoutMs: 100 }],
  ["rpc flat in metadata", { metadata: { "rpc.keepalive": 100 } }, { requestTimeoutMs: 100 }],
  ["rpc flat as for -D", { "metadata.rpc.keepalive": "100" }, { requestTimeoutMs: 100 }],
  ["rpc half flat", { "metadata.rpc": { keepalive: 100 } }, { requestTimeoutMs: 100 }],
  [
    "numbers written as text",
    { metadata: { rpc: { worker_threads: "10", max_queue_size: "20", rate_limit: "1.5" } } },
    { workerThreads: 10, maxQueueLength: 20, requestsPerSecond: 1.5 },
  ],
  [
    "the grace period, which is in seconds",
    { metadata: { eas: { termination_grace_period: 30 } } },
    { terminationGracePeriodMs: 30_000 },
  ],
  [
    "the grace period, flat",
    { metadata: { "eas.termination_grace_period": "1.5" } },
    { terminationGracePeriodMs: 1_500 },
  ],
  ["true for enable_sigterm", { metadata: { rpc: { enable_sigterm: "true" } } }, {}],
  ["1 for enable_sigterm", { metadata: { "rpc.enable_sigterm": 1 } }, {}],
];

const unreadable: readonly [string, unknown, RegExp][] = [
  ["no object", [], /^service description is a list of 0, expected an object/],
  ["metadata that is none", { metadata: 5 }, /: metadata is 5, expected an object/],
  ["a misspelt field", { metadata: { rpc: { keepalve: 1 } } }, /mean "metadata\.rpc\.keepalive"\?/],
  [
    "a field out of place",
    { keepalive: 1 },
    /: keepalive is not known, did you mean "metadata\.rpc/,
  ],
  ["rpc out of place", { "rpc.keepalive": 1 }, /did you mean "metadata\.rpc\.keepalive"\?/],
  ["a field nobody knows", { zzzzzz: 1 }, /: zzzzzz is not known, expected a field of an EAS/],
  ["what hides in a prototype", JSON.parse('{"__proto__": 1}'), /: __proto__ is not known/],
  ["a field below a value", { "name.first": 1 }, /: name\.first is not known/],
  ["a name of digits alone", { name: 5 }, /: name is 5, expected a text/],
  [
    "two names",
    { name: "a", metadata: { name: "b" } },
    /metadata\.name is given also as name, and/,
  ],
  [
    "a field written twice",
    { metadata: { rpc: { keepalive: 1 }, "rpc.keepalive": 2 } },
    /: metadata\.rpc\.keepalive is given twice, and differs/,
  ],
  [
    "a number out of range",
    { metadata: { rpc: { worker_threads: 0 } } },
    /: metadata\.rpc\.worker_threads is 0, expected an integer from 1 to 1024/,
  ],
  [
    "no number",
    { metadata: { rpc: { keepalive: "5s" } } },
    /: metadata\.rpc\.keepalive is "5s", expected a number/,
  ],
  [
    "neither true nor false",
    { metadata: { rpc: { enable_sigterm: "on" } } },
    /: metadata\.rpc\.enable_sigterm is "on", expected true or false/,
  ],
  [
    "a grace period below 0",
    { metadata: { eas: { termination_grace_period: -1 } } },
    /termination_grace_period \(seconds\) is -1, expected a number from 0/,
  ],
  [
    "an unknown decompressor",
    { metadata: { rpc: { decompressor: "lz5" } } },
    /: metadata\.rpc\.decompressor is "lz5", did you mean "lz4"/,
  ],
  [
    "a warm-up file elsewhere",
    { warm_up_data_path: "oss://b/warm.bin" },
    /: warm_up_data_path is "oss:\/\/b\/warm\.bin", expected a file on this machine/,
  ],
  [
    "a module on another machine",
    { processor_entry: "file://host/a.js" },
    /processor_entry is "fi/,
  ],
  ["a model configuration of another kind", { model_config: 5 }, /: model_config is 5, expected/],
  ["metrics of another kind", { metrics: "hits" }, /: metrics is "hits", expected a list of names/],
  ["a metric of another kind", { metrics: [5] }, /: metrics\[0\] is 5, expected a name/],
  [
    "a metric without a name",
    { metrics: [{}] },
    /: metrics\[0\]\.name is undefined, expected a te/,
  ],
  ["help that is no text", { metrics: { hits: 5 } }, /: metrics\.hits is 5, expected a text/],
];

describe("optionsFromServiceDescription", () => {
  for (const [name, json, expected] of fields) {
    it(`reads ${name}`, () => expect(read(json)).toEqual(expected));
  }

  for (const [name, json, message] of unreadable) {
    it(`refuses ${name}`, () => {
      expect(() => read(json)).toThrow(message);
      expect(() => read(json)).toThrow(ConfigError);
    });
  }

  it("never shows a token", () => {
    expect(() => read({ token: 12345 })).toThrow(/: token is not a text, expected a token$/);
  });

  it("names in one line what has no effect here, however it is written", () => {
    const { notices, ...options } = read({
      name: "mnist",
      generate_token: "true",
      autoscaler: { min: 1, strategies: { qps: 10 } },
      "networking.gateway": "g",
      metrics: [{ name: "hits", unit: "1" }],
      metadata: {
        instance: 2,
        "rolling_strategy.max_surge": 1,
        rpc: { io_threads: 4, enable_sigterm: false, http: { default_headers: {} } },
        "rpc.batching": false,
      },
    });
    expect(options).toEqual({ service: "mnist", metrics: { hits: "hits" } });
    expect(notices).toEqual([
      "service description: without effect here: generate_token, autoscaler, networking.gateway, " +
        "metrics[0].unit, metadata.instance, metadata.rolling_strategy.max_surge, " +
        "metadata.rpc.io_threads, metadata.rpc.enable_sigterm (false: a host always stops in " +
        "order on SIGTERM), metadata.rpc.http.default_headers, metadata.rpc.batching",
    ]);
  });

  it("takes EAS's defaults for what a host has as its own", () => {
    const described = read({
      metadata: {
        rpc: { keepalive: 5000, worker_threads: 5, max_queue_size: 64, rate_limit: 0 },
        eas: { termination_grace_period: 30 },
      },
    });
    expect(Object.keys(described)).toHaveLength(5);
    expect(resolveHostOptions(described)).toEqual(resolveHostOptions());
  });
});
