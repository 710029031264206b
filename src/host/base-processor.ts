import type {
  Answer,
  AnyProcessor,
  AnyServerMiddleware,
  Call,
  ProcessorContext,
  ProcessorFunction,
  ProcessorProperty,
} from "../processor/processor.js";
import { runHook } from "../processor/run-hook.js";
import { keepGivenOptions } from "./given-options.js";
import type { HostOptions, ResolvedHostOptions } from "./host-options.js";
import { resolveHostOptions } from "./resolve-host-options.js";
import { startHost } from "./start-host.js";
import type { ProcessorHost } from "./startable-host.js";

/**
 * What every kind of processor has in common: its options, and the two ways to start it.
 *
 * The engine is loaded only when the processor is started: a program that merely imports the class stays small.
 */
export abstract class Processor {
  readonly #options: HostOptions;
  readonly #resolved: ResolvedHostOptions;
  /** What runs around the processor's methods, the first one outermost. */
  readonly middleware: readonly AnyServerMiddleware[];

  /**
   * @param options - Options of the host.
   * @throws ConfigError for options that make no sense; nothing has been opened then.
   */
  constructor(options: HostOptions = {}) {
    this.#options = options;
    keepGivenOptions(this, options);
    this.#resolved = resolveHostOptions(options);
    this.middleware = this.#resolved.middleware;
  }

  /** Loads what answering needs; once in each lane, before the host is ready. */
  initialize?(context: ProcessorContext): void | Promise<void>;

  /** Gives back what `initialize` took; once in each lane, after its last call. */
  dispose?(): void | Promise<void>;

  /**
   * Tells whether this lane can take calls; asked every second, and "no" when it takes longer than the option
   * `readyCheckTimeoutMs` or throws.
   */
  isReady?(signal: AbortSignal): boolean | Promise<boolean>;

  /** Takes a message of the builtin `tell`; in every lane. */
  onTell?(message: Uint8Array): void | Promise<void>;

  /** What the builtin `call` may run, by name. */
  declare readonly functions?: Readonly<Record<string, ProcessorFunction>>;

  /** What the builtin `prop` may set, by name; `context.properties` of `initialize` shows the values. */
  declare readonly properties?: Readonly<Record<string, ProcessorProperty>>;

  /**
   * Starts a host for this processor and resolves when it is ready; for embedding and for tests.
   *
   * @throws HostError `ADDRESS_IN_USE`, ProcessorError `INITIALIZE_FAILED`; ConfigError `INVALID_OPTION` in the process
   * or thread of a lane, which hosts nothing.
   */
  start(): Promise<ProcessorHost> {
    return startHost(this satisfies AnyProcessor, this.#options);
  }

  /**
   * Starts a host, stops it in order on SIGINT and SIGTERM (a second one quits at once), and resolves when it has
   * stopped. Never rejects: a host that could not start is logged, and ends the process with 1, two seconds later if
   * what `initialize` opened still holds it.
   *
   * In the process or thread of a lane, which loads the same module, the processor is handed over to that lane, and this
   * resolves when the lane is closed.
   */
  async run(): Promise<void> {
    const lane = runHook();
    if (lane !== undefined) return await lane.run(this);
    const { runProcessor } = await import("./run-processor.js");
    await runProcessor(this, this.#resolved);
  }
}

/**
 * A processor of bytes: the body of the call in, bytes or bytes with a status out.
 *
 * @example
 * class Echo extends BaseProcessor {
 *   process(data: Uint8Array): Uint8Array {
 *     return data;
 *   }
 * }
 * await new Echo({ endpoint: "127.0.0.1:8080" }).run();
 */
export abstract class BaseProcessor extends Processor {
  /** Answers one call. */
  abstract process(
    data: Uint8Array,
    call: Call,
  ): Answer | Promise<Answer> | AsyncIterable<Uint8Array>;

  /** The user's own step from bytes to input; never called by the host. */
  preProcess?(data: Uint8Array): unknown;

  /** The user's own step from result to bytes; never called by the host. */
  postProcess?(result: unknown): Uint8Array;
}
