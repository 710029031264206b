import { describe, expect, it } from "vitest";
import { PredictServiceDefinition } from "../../../gen/inferwire/predict/v1/predict.js";
import type { MethodOptions } from "../../../src/client/client-options.js";
import { methodTable } from "../../../src/client/method-table.js";
import { EchoDefinition } from "../../support/client-echo.js";

const defaults = { timeoutMs: 5_000, streamIdleTimeoutMs: 60_000, maxAttempts: 3 };

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
    [{ unary: { hedgeDelayMs: 5 } }, "methods.unary.hedgeDelayMs is not in this version"],
    [{ unary: { timeoutMs: -1 } }, "methods.unary.timeoutMs is -1"],
    [{ "*": { maxAttempts: 0 } }, "methods.*.maxAttempts is 0"],
    [{ unary: { idempotent: "yes" } }, 'methods.unary.idempotent is "yes"'],
    [{ unary: { metadata: { "X-A": "1" } } }, 'methods.unary.metadata "X-A" cannot be sent'],
    [{ unary: { metadata: { "x-a": "1\n" } } }, 'methods.unary.metadata "x-a" cannot be sent'],
  ])("refuses %j", (methods, message) => {
    expect(() => methodNamed("unary", methods as Record<string, MethodOptions>)).toThrow(message);
  });

  it.each([[undefined], ["x"], [[]], [{ a: 1 }], [{ fullName: "a.B", methods: { c: 1 } }]])(
    "refuses %j as a definition",
    (definition) => {
      const given = definition as never;
      expect(() => methodTable(given, {}, defaults)).toThrow("expected a service definition");
    },
  );
});
