import { relative, resolve } from "node:path";
import {
  type Generated,
  type GenerateOptions,
  generate,
  watchedModules,
} from "../../codegen/generate.js";
import { problemsIn, problemText } from "../../codegen/proto-problem.js";
import { protoFingerprint, untilChanged } from "../../codegen/watch-protos.js";
import { isServingError, servingError } from "../../core/serving-error.js";
import type { CliContext } from "../command.js";
import { kitFolder, testedVersion } from "../kit-package.js";

/** Flags of `generate`. */
export interface GenerateFlags {
  readonly out?: string;
  readonly check?: boolean;
  readonly watch?: boolean;
  readonly typedArrays?: boolean;
  readonly against?: string;
}

const DEFAULT_OUT = "gen";

/** Generates once, or on every change. */
export async function runGenerate(flags: GenerateFlags, context: CliContext): Promise<void> {
  if (flags.watch === true && flags.check === true) {
    throw servingError("INVALID_OPTION", "--watch and --check exclude each other");
  }
  await (flags.watch === true ? watch : generateOnce)(flags, context);
}

/** Generates on every change, until the signal ends it; a proto that is wrong ends nothing. */
async function watch(flags: GenerateFlags, context: CliContext): Promise<void> {
  const { folder, signal, clock, terminal } = context;
  const options = optionsOf(flags, context, () => {});
  let look: () => Promise<string>;
  let before: string;
  do {
    const modules = await watchedModules(options);
    look = () => protoFingerprint(folder, modules);
    before = await look();
    try {
      await generateOnce(flags, context);
    } catch (thrown) {
      if (signal.aborted) return;
      if (!isServingError(thrown) || thrown.reason !== "PROTO_INVALID") throw thrown;
      terminal.fail({ error: { reason: thrown.reason, message: thrown.message } }, thrown.message);
    }
    terminal.note("waiting for changes; Ctrl+C ends");
  } while (await untilChanged(look, before, { clock, signal }));
}

async function generateOnce(flags: GenerateFlags, context: CliContext): Promise<void> {
  const { terminal, clock } = context;
  const startedMs = clock.now();
  const progress = terminal.progress("generating");
  try {
    const options = optionsOf(flags, context, (text) => progress.update(text));
    const generated = await generate(options);
    progress.done();
    tell(generated, Math.round(clock.now() - startedMs), options, context);
  } catch (thrown) {
    progress.done();
    showProblems(thrown, context);
    throw thrown;
  }
}

function optionsOf(
  flags: GenerateFlags,
  { folder, env, signal }: CliContext,
  onStep: (text: string) => void,
): GenerateOptions {
  return {
    folder,
    out: resolve(folder, flags.out ?? DEFAULT_OUT),
    kit: { folder: kitFolder, versionOf: testedVersion },
    typedArrays: flags.typedArrays === true,
    check: flags.check === true,
    against: flags.against,
    env,
    signal,
    onStep,
  };
}

function tell(
  { protos, files, changes }: Generated,
  ms: number,
  { out, folder, check }: GenerateOptions,
  { terminal }: CliContext,
): void {
  const written = changes.added.length + changes.changed.length;
  const removed = changes.stale.length;
  const where = relative(folder, out);
  const value = { out: where, protos, files, written, removed, ms };
  const what = check
    ? `${where} matches the protos`
    : `${written} written, ${removed} removed in ${where}`;
  terminal.result(
    value,
    `${counted(files, "file")} from ${counted(protos, "proto")}, ${what} (${ms} ms)`,
  );
}

/** Each problem of a proto on a line of its own; for people only where there are several: one is the error itself. */
function showProblems(thrown: unknown, { terminal }: CliContext): void {
  const problems = problemsIn(thrown);
  if (problems.length < 2 && !terminal.json) return;
  for (const problem of problems) {
    terminal.fail({ problem }, problemText(problem));
  }
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? "" : "s"}`;
