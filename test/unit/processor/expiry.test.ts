import { describe, expect, it } from "vitest";
import type { Invocation } from "../../../src/core/invocation.js";
import type { AnyServerMiddleware, ProcessorShape } from "../../../src/processor/processor.js";
import { serviceRpcs } from "../../../src/processor/service-rpcs.js";
import { type Echo, EchoDefinition } from "../../support/client-echo.js";
import { invocationOf } from "../../support/invocations.js";
import { failureOf, testRunner } from "../../support/runners.js";

/** A processor of bytes, a function and typed methods that tells whether any of it was begun. */
function watched(): ProcessorShape & { readonly begun: boolean } {
  let begun = false;
  const begin = <T>(value: T): T => {
    begun = true;
    return value;
  };
  const unary = async ({ text }: Echo): Promise<Echo> => begin({ text });
  const never = (): never => {
    throw new Error("not asked for");
  };
  return {
    get begun() {
      return begun;
    },
    process: (data) => begin(data),
    functions: { reload: (data) => begin(data) },
    rpcs: serviceRpcs(EchoDefinition, {
      unary,
      pure: unary,
      serverStream: never,
      clientStream: never,
      bidi: never,
    }),
  };
}

const handlers: readonly (readonly [name: string, parts: Partial<Invocation>])[] = [
  ["process", {}],
  ["process, answered in pieces", { takesPieces: true }],
  ["a function", { handler: "function", path: "reload" }],
  ["a typed method", { handler: "rpc", method: "/test.Echo/Unary" }],
];

describe("a runner, when the call's time is over", () => {
  it.each(handlers)("does not begin %s", async (_, parts) => {
    const processor = watched();
    const invocation = invocationOf({ ...parts, deadlineMs: -1 });
    expect(await failureOf(testRunner(processor).run(invocation))).toMatchObject({
      reason: "DEADLINE_EXCEEDED",
    });
    expect(invocation.abort.reason?.reason).toBe("DEADLINE_EXCEEDED");
    expect(processor.begun).toBe(false);
  });

  it("does not begin middleware", async () => {
    const processor = watched();
    let entered = false;
    const middleware: AnyServerMiddleware = async function* enter(call, context) {
      entered = true;
      return yield* call.next(call.request as never, context);
    };
    const runner = testRunner(processor, { middleware: [middleware] });
    for (const [, parts] of handlers) {
      await failureOf(runner.run(invocationOf({ ...parts, deadlineMs: -1 })));
    }
    expect(entered).toBe(false);
  });

  it.each(handlers.filter(([name]) => name !== "a function"))(
    "does not begin %s for which middleware took too long",
    async (_, parts) => {
      const processor = watched();
      let over = false;
      const slow: AnyServerMiddleware = async function* slowly(call, context) {
        over = true;
        return yield* call.next(call.request as never, context);
      };
      const invocation = Object.defineProperty(invocationOf(parts), "deadlineMs", {
        get: () => (over ? -1 : Number.POSITIVE_INFINITY),
      });
      const runner = testRunner(processor, { middleware: [slow] });
      expect(await failureOf(runner.run(invocation))).toMatchObject({
        reason: "DEADLINE_EXCEEDED",
      });
      expect(processor.begun).toBe(false);
    },
  );
});
