import {
  type Answer,
  BaseProcessor,
  type Call,
  type HostOptions,
  type ProcessorContext,
  type ProcessorHost,
} from "inferwire/host";
import { afterEach } from "vitest";
import { type LogLine, recordingLogger } from "./recording-logger.js";

/** What a test's processor does. */
export interface ProcessorParts {
  readonly process?: (
    data: Uint8Array,
    call: Call,
  ) => Answer | Promise<Answer> | AsyncIterable<Uint8Array>;
  readonly initialize?: (context: ProcessorContext) => void | Promise<void>;
  readonly dispose?: () => void | Promise<void>;
}

/** The port of a host that is still starting, from its log. */
export async function boundPort(lines: readonly LogLine[]): Promise<number> {
  for (;;) {
    const bound = lines.find(({ message }) => message === "port bound");
    if (bound !== undefined) return Number(String(bound.fields["address"]).split(":").at(-1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class TestProcessor extends BaseProcessor {
  readonly #parts: ProcessorParts;

  constructor(parts: ProcessorParts, options: HostOptions) {
    super(options);
    this.#parts = parts;
  }

  override initialize(context: ProcessorContext): void | Promise<void> {
    return this.#parts.initialize?.(context);
  }

  override dispose(): void | Promise<void> {
    return this.#parts.dispose?.();
  }

  process(data: Uint8Array, call: Call): Answer | Promise<Answer> | AsyncIterable<Uint8Array> {
    return this.#parts.process === undefined ? data : this.#parts.process(data, call);
  }
}

const running: ProcessorHost[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((host) => host.close({ gracePeriodMs: 0 })));
});

/** Starts a host on a free port, silent unless told otherwise, that is closed after the test; echoes by default. */
export async function startTestHost(
  parts: ProcessorParts = {},
  options: HostOptions = {},
): Promise<ProcessorHost & { readonly port: number }> {
  const all = { endpoint: "127.0.0.1:0", logger: recordingLogger().logger, ...options };
  const host = await new TestProcessor(parts, all).start();
  running.push(host);
  return Object.assign(host, { port: host.address.port });
}
