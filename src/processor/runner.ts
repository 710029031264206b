import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import type { Clock, Logger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { badAnswer, handlerName, kindOf, processorError, textOf } from "./answer-errors.js";
import { answerOutcome } from "./answers.js";
import { checkProcessor } from "./check-processor.js";
import type { AnyProcessor, AnyServerMiddleware, ProcessorContext } from "./processor.js";
import { ProcessorCall } from "./processor-call.js";
import { onlyPayload, runProcess, runProcessThroughMiddleware } from "./run-process.js";
import { runRpc } from "./run-rpc.js";
import type { RunnerSettings } from "./runner-settings.js";
import { runUserCode } from "./user-code.js";

export { deliberateTrailers, isDeliberate } from "./answer-errors.js";

/** What a runner needs besides the processor. */
export interface RunnerOptions {
  readonly context: ProcessorContext;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether callers see the texts of errors that the processor throws. */
  readonly exposeErrors: boolean;
  /** In place of the processor's own middleware, where its host's options are not its own. */
  readonly middleware?: readonly AnyServerMiddleware[] | undefined;
}

/** Runs a processor's methods and holds them to their shape. */
export interface ProcessorRunner {
  /** @throws ProcessorError `INITIALIZE_FAILED` with what was thrown as its cause. */
  initialize(): Promise<void>;
  /**
   * Runs what the invocation's `handler` says; nothing of the processor when the call has been given up already, or its
   * time is over.
   *
   * @throws ProcessorError `PROCESSOR_THREW` or `PROCESSOR_BAD_ANSWER`; HostError `UNKNOWN_FUNCTION`, `UNKNOWN_ROUTE`,
   * `MALFORMED_REQUEST` or `STREAM_NEEDED`; the call's abort reason if that was thrown.
   */
  run(invocation: Invocation): Promise<Outcome>;
  /** Whether the processor has an `isReady` of its own. */
  readonly checksReady: boolean;
  /** Whether `isReady` says true; true without one, false when it throws. */
  isReady(signal: AbortSignal): Promise<boolean>;
  /** Hands a message to `onTell`; what that throws is logged. */
  tell(message: Uint8Array): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Makes the runner of a processor in one lane.
 *
 * @throws ConfigError `INVALID_OPTION` for a processor that {@link checkProcessor} refuses.
 */
export function createRunner(processor: AnyProcessor, options: RunnerOptions): ProcessorRunner {
  checkProcessor(processor);
  const { context, clock, logger, exposeErrors } = options;
  const middleware = options.middleware ?? processor.middleware ?? [];
  const settings: RunnerSettings = { exposeErrors, middleware };
  const rpcs = new Map((processor.rpcs ?? []).map((rpc) => [rpc.path, rpc]));
  const process = middleware.length === 0 ? runProcess : runProcessThroughMiddleware;

  const runHandler = (invocation: Invocation, call: ProcessorCall): Promise<Outcome> => {
    switch (invocation.handler) {
      case "process":
        return process(processor, call, invocation, settings);
      case "function":
        return runFunction(processor, invocation, call);
      case "rpc": {
        const rpc = rpcs.get(invocation.method);
        if (rpc !== undefined) return runRpc(rpc, call, invocation, settings);
        throw servingError("UNKNOWN_ROUTE", `the processor has no method ${invocation.method}`);
      }
    }
  };

  return {
    async initialize() {
      try {
        await processor.initialize?.(context);
      } catch (cause) {
        throw servingError("INITIALIZE_FAILED", `initialize() threw: ${textOf(cause)}`, { cause });
      }
    },
    async run(invocation) {
      const call = new ProcessorCall(invocation, clock, logger);
      try {
        const outcome = await runHandler(invocation, call);
        if (!isSequence(outcome.payloads)) call.settled();
        return outcome;
      } catch (thrown) {
        call.settled();
        throw processorError(thrown, call, invocation, settings);
      }
    },
    checksReady: processor.isReady !== undefined,
    async isReady(signal) {
      try {
        return processor.isReady === undefined || (await processor.isReady(signal)) === true;
      } catch (err) {
        logger.warn({ err }, "isReady() threw: taken for not ready");
        return false;
      }
    },
    async tell(message) {
      try {
        await processor.onTell?.(message);
      } catch (err) {
        logger.error({ err }, "onTell() threw");
      }
    },
    async dispose() {
      await processor.dispose?.();
    },
  };
}

async function runFunction(
  processor: AnyProcessor,
  invocation: Invocation,
  call: ProcessorCall,
): Promise<Outcome> {
  const { path: name } = invocation;
  const { functions = {} } = processor;
  const run = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (run === undefined) {
    const known = Object.keys(functions).map((key) => JSON.stringify(key));
    throw servingError(
      "UNKNOWN_FUNCTION",
      `no function ${JSON.stringify(name.slice(0, 80))}, the processor has ${known.join(", ") || "none"}`,
    );
  }
  const data = onlyPayload(invocation);
  const answer: unknown = await runUserCode(call, () => {
    call.throwIfOver();
    return run(data, call);
  });
  if (answer instanceof Uint8Array) return answerOutcome(answer, 0, call);
  throw badAnswer(
    `${handlerName(invocation)} returned ${kindOf(answer)}, expected bytes (a Uint8Array)`,
  );
}
