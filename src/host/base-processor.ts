import type { Answer, Call, ProcessorContext, ProcessorShape } from "../processor/processor.js";
import { type HostOptions, type ResolvedHostOptions, resolveHostOptions } from "./host-options.js";
import type { ProcessorHost } from "./processor-host.js";
import { startHost } from "./start-host.js";

/**
 * What every kind of processor has in common: its options, and the two ways to start it.
 *
 * The engine is loaded only when the processor is started: a program that merely imports the class stays small.
 */
export abstract class Processor {
  readonly #options: HostOptions;
  readonly #resolved: ResolvedHostOptions;

  /**
   * @param options - Options of the host.
   * @throws ConfigError for options that make no sense; nothing has been opened then.
   */
  constructor(options: HostOptions = {}) {
    this.#options = options;
    this.#resolved = resolveHostOptions(options);
  }

  /** Loads what `process` needs; once in each lane, before the host is ready. */
  initialize?(context: ProcessorContext): void | Promise<void>;

  /** Gives back what `initialize` took; once in each lane, after its last call. */
  dispose?(): void | Promise<void>;

  /** Answers one call. */
  abstract process(
    data: Uint8Array,
    call: Call,
  ): Answer | Promise<Answer> | AsyncIterable<Uint8Array>;

  /**
   * Starts a host for this processor and resolves when it is ready; for embedding and for tests.
   *
   * @throws HostError `ADDRESS_IN_USE`, ProcessorError `INITIALIZE_FAILED`.
   */
  start(): Promise<ProcessorHost> {
    return startHost(this satisfies ProcessorShape, this.#options);
  }

  /**
   * Starts a host, stops it in order on SIGINT and SIGTERM (a second one quits at once), and resolves when it has
   * stopped. Never rejects: a host that could not start is logged, and ends the process with 1, two seconds later if
   * what `initialize` opened still holds it.
   */
  async run(): Promise<void> {
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
  /** The user's own step from bytes to input; never called by the host. */
  preProcess?(data: Uint8Array): unknown;

  /** The user's own step from result to bytes; never called by the host. */
  postProcess?(result: unknown): Uint8Array;
}
