import { afterEach } from "vitest";
import { silentLogger, systemClock } from "../../src/core/ports.js";
import { createSource } from "../../src/resolve/create-source.js";
import type { Source } from "../../src/resolve/source.js";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import { parseTarget } from "../../src/resolve/target/target.js";
import { createSourceRecorder, type SourceRecorder } from "./source-recorder.js";

/** A source at work, with what it tells. */
export interface StartedSource {
  readonly source: Source;
  readonly recorder: SourceRecorder;
  /** Its warnings: message and fields. */
  readonly warnings: readonly string[];
}

const open: Source[] = [];

afterEach(async () => {
  for (const source of open.splice(0)) await source.close();
});

/** Starts the source of a target, with a poll every 100 ms unless told otherwise; closed after the test. */
export function startSource(target: string, options: Partial<SourceOptions> = {}): StartedSource {
  const warnings: string[] = [];
  const source = createSource(parseTarget(target), {
    clock: systemClock,
    random: Math.random,
    logger: {
      ...silentLogger,
      warn: (fields, message) => warnings.push(`${message} ${JSON.stringify(fields)}`),
    },
    pollIntervalMs: 100,
    ...options,
  });
  const recorder = createSourceRecorder();
  open.push(source);
  source.start(recorder);
  return { source, recorder, warnings };
}
