import { built } from "./built-kit.js";
import type { CliResult, CliRunOptions } from "./cli.js";
import { recordedWorld } from "./cli-world.js";

/** How a command line is run in the test's own process. */
export interface InsideOptions extends CliRunOptions {
  /** Stops it, as Ctrl+C does. */
  readonly signal?: AbortSignal;
  /** Told of everything that it writes to stdout, as it comes. */
  readonly heard?: (text: string) => void;
}

/** Runs a command line of the built package to its end in the test's own process, which is many times quicker than a child. */
export async function runCliInside(
  args: readonly string[],
  { stdin, env = {}, cwd = process.cwd(), signal, heard }: InsideOptions = {},
): Promise<CliResult> {
  const { runCli } = await built<typeof import("../../src/cli/run-cli.js")>("cli/run-cli.js");
  const { commands } = await built<typeof import("../../src/cli/commands.js")>("cli/commands.js");
  const { systemClock } = await built<typeof import("../../src/core/ports.js")>("core/ports.js");
  const world = recordedWorld({
    env: { ...process.env, ...env },
    folder: cwd,
    clock: systemClock,
    ...(stdin === undefined ? {} : { input: stdin }),
    ...(signal === undefined ? {} : { signal }),
    ...(heard === undefined ? {} : { heard }),
  });
  const code = await runCli(args, commands, world);
  return { code, ...world.said };
}
