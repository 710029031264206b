import { isSequence, type Outcome, type Payloads } from "../../src/core/invocation.js";
import { type Logger, silentLogger } from "../../src/core/ports.js";
import type { AnyProcessor, AnyServerMiddleware } from "../../src/processor/processor.js";
import { createRunner, type ProcessorRunner } from "../../src/processor/runner.js";
import { createFakeClock } from "./fake-clock.js";

/** A runner of a processor in an inline lane, silent, on a clock that stands still. */
export function testRunner(
  processor: AnyProcessor,
  options: {
    exposeErrors?: boolean;
    middleware?: readonly AnyServerMiddleware[];
    logger?: Logger;
  } = {},
): ProcessorRunner {
  return createRunner(processor, {
    context: {
      lane: { kind: "inline", index: 0, count: 1 },
      service: "",
      modelPath: undefined,
      modelConfig: undefined,
      properties: new Map(),
      logger: silentLogger,
      signal: new AbortController().signal,
    },
    clock: createFakeClock(),
    logger: options.logger ?? silentLogger,
    exposeErrors: options.exposeErrors ?? false,
    middleware: options.middleware,
  });
}

/** Texts as the payloads of a request stream; `closed` tells whether the reader stopped early. */
export function textStream(
  texts: readonly string[],
): AsyncIterable<Uint8Array> & { readonly pulled: number; readonly closed: boolean } {
  let pulled = 0;
  let closed = false;
  return {
    get pulled() {
      return pulled;
    },
    get closed() {
      return closed;
    },
    [Symbol.asyncIterator]: () => ({
      next() {
        const text = texts[pulled];
        if (text === undefined) return Promise.resolve({ done: true, value: undefined });
        pulled++;
        return Promise.resolve({ done: false, value: Buffer.from(text) });
      },
      return() {
        closed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
}

/** The payloads of an outcome as texts. */
export async function textsOf(payloads: Payloads): Promise<readonly string[]> {
  if (!isSequence(payloads)) return [Buffer.from(payloads).toString()];
  const texts: string[] = [];
  for await (const piece of payloads) texts.push(Buffer.from(piece).toString());
  return texts;
}

/** The code, reason and message of what a run fails with, also when only reading its pieces does. */
export async function failureOf(
  running: Promise<Outcome>,
): Promise<{ reason: string; code: number; message: string }> {
  try {
    await textsOf((await running).payloads);
  } catch (thrown) {
    const { reason, code, message } = thrown as { reason: string; code: number; message: string };
    return { reason, code, message };
  }
  throw new Error("expected a failure");
}
