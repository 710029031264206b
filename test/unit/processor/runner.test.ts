import { describe, expect, it } from "vitest";
import type { ProcessorShape } from "../../../src/processor/processor.js";
import { invocationOf } from "../../support/invocations.js";
import { failureOf, testRunner } from "../../support/runners.js";

const process = (data: Uint8Array): Uint8Array => data;

const secret = (): never => {
  throw new Error("secret");
};

describe("a runner of a processor that throws what it should not", () => {
  it.each([
    ["a proxy", new Proxy({}, { has: secret, getPrototypeOf: secret, get: secret })],
    [
      "a getter that throws",
      Object.defineProperty(new Error("x"), "message", { enumerable: true, get: secret }),
    ],
    ["an object without a text", Object.create(null)],
    ["null", null],
    ["a symbol", Symbol("secret")],
  ])("says no more than that it threw: %s", async (_, thrown) => {
    const runner = testRunner({
      process() {
        throw thrown;
      },
    });
    expect(await failureOf(runner.run(invocationOf()))).toEqual({
      reason: "PROCESSOR_THREW",
      code: 2,
      message: "process() threw",
    });
  });

  it("does not name the class of an answer of no use", async () => {
    class SecretInternal {}
    for (const answer of [
      new SecretInternal(),
      {
        get constructor() {
          return secret();
        },
      },
    ]) {
      const { message } = await failureOf(
        testRunner({ process: () => answer as never }).run(invocationOf()),
      );
      expect(message).toMatch(/^process\(\) returned an object, expected bytes/);
    }
  });
});

describe("a runner's isReady", () => {
  const says = (answer: unknown): Promise<boolean> => {
    const processor = { process, isReady: () => answer } as ProcessorShape;
    return testRunner(processor).isReady(new AbortController().signal);
  };

  it("is true without one, and where the processor says true", async () => {
    expect(await testRunner({ process }).isReady(new AbortController().signal)).toBe(true);
    expect(await says(true)).toBe(true);
    expect(await says(Promise.resolve(true))).toBe(true);
  });

  it.each([false, "no", 1, undefined, null, {}])("takes %j for not ready", async (answer) => {
    expect(await says(answer)).toBe(false);
    expect(await says(Promise.resolve(answer))).toBe(false);
  });
});

describe("a runner of bytes", () => {
  it("hands a Buffer over the same bytes to the processor, whatever they came as", async () => {
    const seen: Uint8Array[] = [];
    const keep = (data: Uint8Array): Uint8Array => {
      seen.push(data);
      return data;
    };
    const runner = testRunner({ process: keep, functions: { keep } });
    const payloads = new Uint8Array([104, 105]);
    await runner.run(invocationOf({ payloads }));
    await runner.run(invocationOf({ payloads, handler: "function", path: "keep" }));
    expect(seen.map(String)).toEqual(["hi", "hi"]);
    expect(seen.map(({ buffer }) => buffer === payloads.buffer)).toEqual([true, true]);
  });
});

describe("a runner of functions", () => {
  const runner = (exposeErrors: boolean): ReturnType<typeof testRunner> =>
    testRunner(
      {
        process,
        functions: {
          reload: () => {
            throw new Error("no such file");
          },
          wrong: () => 5 as never,
        },
      },
      { exposeErrors },
    );
  const ask = (path: string) => invocationOf({ handler: "function", path });

  it("names the function that threw", async () => {
    const hidden = await failureOf(runner(false).run(ask("reload")));
    expect(hidden).toEqual({
      reason: "PROCESSOR_THREW",
      code: 2,
      message: 'function "reload" threw',
    });
    const shown = await failureOf(runner(true).run(ask("reload")));
    expect(shown.message).toBe('function "reload" threw: no such file');
  });

  it("names the function whose answer is of no use", async () => {
    const { message } = await failureOf(runner(false).run(ask("wrong")));
    expect(message).toBe('function "wrong" returned a number, expected bytes (a Uint8Array)');
  });
});
