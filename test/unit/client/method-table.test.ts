import { describe, expect, it } from "vitest";
import { PredictServiceDefinition } from "../../../gen/inferwire/predict/v1/predict.js";
import type { MethodOptions } from "../../../src/client/client-options.js";
import { methodTable } from "../../../src/client/method-table.js";
import { EchoDefinition } from "../../support/client-echo.js";

const defaults = {
  timeoutMs: 5_000,
  streamIdleTimeoutMs: 60_000,
  maxAttempts: 3,
  hedgeDelayMs: Number.POSITIVE_INFINITY,
  retryBudgetRatio: 0.1,
};

function methodNamed(name: string, methods: Record<string, MethodOptions> = {}) {
  return methodTable(EchoDefinition, methods, defaults).find((method) => method.name === name);
}

describe("methodTable", () => {
  it("reads kinds and idempotency from nice-grpc's and grpc-js's form", () => {
    expect(methodNamed("bidi")).toMatchObject({ requestStream: true, responseStream: true });
    expect(methodNamed("unary")).toMatchObject({ path: "/test.Echo/Unary", idempotent: false });
    expect(methodNamed("pure")?.idempotent).toBe(true);
  });

  it("reads ts-proto's form", () => {
    expect(methodTable(PredictServiceDefinition, {}, defaults)).toMatchObject([
      { name: "predict", path: "/inferwire.predict.v1.PredictService/Predict" },
      { name: "predictStream", responseStream: true, requestStream: false },
    ]);
  });

  it("lets a method's options win over those of all, and both over the proto's level", () => {
    const methods = {
      "*": { timeoutMs: 100, idempotent: true, metadata: { "x-a": "1", "x-b": "1" } },
      pure: { idempotent: false, metadata: { "x-b": "2" }, timeoutMs: undefined },
    };
    expect(methodNamed("unary", methods)).toMatchObject({ timeoutMs: 100, idempotent: true });
    expect(methodNamed("pure", methods)).toMatchObject({
      timeoutMs: 100,
      maxAttempts: 3,
      idempotent: false,
      metadata: [
        ["x-a", "1"],
        ["x-b", "2"],
      ],
    });
  });

  it.each([
    [
      { unari: {} },
      'methods has "unari", which is no method of the service, did you mean "unary"?',
    ],
    [{ unary: { timeout: 1 } }, 'methods.unary has no option "timeout", did you mean "timeoutMs"?'],
    [{ unary: { hedgeDelayMs: 0 } }, "methods.unary.hedgeDelayMs is 0, expected a number"],
    [
      { unary: { hedgeDelayMs: 50 } },
      "methods.unary.hedgeDelayMs is 50, but the method is not idempotent; say methods.unary.idempotent if it is",
    ],
    [
      { pure: { hedgeDelayMs: 50, idempotent: false } },
      "methods.pure.hedgeDelayMs is 50, but the method is not idempotent",
    ],
    [
      { "*": { idempotent: true }, serverStream: { hedgeDelayMs: 50 } },
      "methods.serverStream.hedgeDelayMs is 50, but the method streams",
    ],
    [
      { "*": { idempotent: true }, clientStream: { hedgeDelayMs: 50 } },
      "methods.clientStream.hedgeDelayMs is 50, but the method streams",
    ],
    [
      { pure: { hedgeDelayMs: 50, maxAttempts: 1 } },
      "methods.pure.hedgeDelayMs is 50 with maxAttempts 1",
    ],
    [
      { "*": { maxAttempts: 1 }, pure: { hedgeDelayMs: 50 } },
      "methods.pure.hedgeDelayMs is 50 with maxAttempts 1",
    ],
    [
      { pure: { hedgeDelayMs: 50, timeoutMs: 50 } },
      "methods.pure.hedgeDelayMs is 50, expected less than timeoutMs, 50",
    ],
    [{ pure: { hedgeDelayMs: 5_000 } }, "methods.pure.hedgeDelayMs is 5000, expected less than"],
    [{ "*": { hedgeDelayMs: 50, maxAttempts: 1 } }, "methods.*.hedgeDelayMs is 50 with"],
    [
      { "*": { hedgeDelayMs: 50, idempotent: false }, unary: { timeoutMs: 100 } },
      "methods.*.hedgeDelayMs is 50, but methods.*.idempotent is false, and no method says otherwise",
    ],
    [{ "*": { hedgeDelayMs: 6_000 } }, "methods.*.hedgeDelayMs is 6000, expected less than"],
    [{ unary: { timeoutMs: 0 } }, "methods.unary.timeoutMs is 0, expected a number"],
    [{ unary: { timeoutMs: Number.NaN } }, "methods.unary.timeoutMs is NaN"],
    [{ unary: { timeoutMs: 1e12 } }, "methods.unary.timeoutMs is 1000000000000"],
    [{ unary: { timeoutMs: "5" } }, 'methods.unary.timeoutMs is "5"'],
    [{ "*": { streamIdleTimeoutMs: Number.NaN } }, "methods.*.streamIdleTimeoutMs is NaN"],
    [{ unary: { timeoutMs: -1 } }, "methods.unary.timeoutMs is -1"],
    [{ "*": { maxAttempts: 0 } }, "methods.*.maxAttempts is 0"],
    [{ unary: { idempotent: "yes" } }, 'methods.unary.idempotent is "yes"'],
    [{ unary: { metadata: { "X-A": "1" } } }, 'methods.unary.metadata "X-A" cannot be sent'],
    [{ unary: { metadata: { "x-a": "1\n" } } }, 'methods.unary.metadata "x-a" cannot be sent'],
  ])("refuses %j", (methods, message) => {
    expect(() => methodNamed("unary", methods as Record<string, MethodOptions>)).toThrow(message);
  });

  it("refuses a hedge without a budget", () => {
    const methods = { pure: { hedgeDelayMs: 50 } };
    expect(() =>
      methodTable(EchoDefinition, methods, { ...defaults, retryBudgetRatio: 0 }),
    ).toThrow(/methods\.pure\.hedgeDelayMs is 50 with retryBudgetRatio 0/);
  });

  it("takes a hedge for none but those that say otherwise", () => {
    const methods = {
      "*": { hedgeDelayMs: 50, idempotent: false },
      unary: { idempotent: true },
    };
    expect(methodNamed("unary", methods)).toMatchObject({ hedgeDelayMs: 50, idempotent: true });
  });

  it("takes a hedge for all where it can be had, and Infinity anywhere", () => {
    const methods = {
      "*": { hedgeDelayMs: 50 },
      serverStream: { hedgeDelayMs: Number.POSITIVE_INFINITY },
      unary: { maxAttempts: 1, timeoutMs: 10 },
    };
    expect(methodNamed("pure", methods)?.hedgeDelayMs).toBe(50);
    expect(methodNamed("serverStream", methods)?.hedgeDelayMs).toBe(Number.POSITIVE_INFINITY);
    expect(methodNamed("unary", methods)?.maxAttempts).toBe(1);
  });

  it.each([[undefined], ["x"], [[]], [{ a: 1 }], [{ fullName: "a.B", methods: { c: 1 } }]])(
    "refuses %j as a definition",
    (definition) => {
      const given = definition as never;
      expect(() => methodTable(given, {}, defaults)).toThrow("expected a service definition");
    },
  );
});
