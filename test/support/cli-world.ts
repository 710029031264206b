import { Readable } from "node:stream";
import { commands } from "../../src/cli/commands.js";
import { type CliWorld, runCli } from "../../src/cli/run-cli.js";
import type { CliResult } from "./cli.js";
import { createFakeClock } from "./fake-clock.js";

/** A world of a command line that keeps what is written. */
export interface RecordedWorld extends CliWorld {
  readonly said: { stdout: string; stderr: string };
}

/** Makes a world in which nothing is real. */
export function recordedWorld(
  parts: Partial<CliWorld> & {
    readonly input?: string;
    readonly tty?: boolean;
    readonly heard?: (text: string) => void;
  } = {},
): RecordedWorld {
  const { input = "", tty = false, heard, ...rest } = parts;
  const said = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") => ({
    isTTY: tty,
    write: (text: string) => {
      said[name] += text;
      if (name === "stdout") heard?.(text);
    },
  });
  return {
    env: {},
    folder: "/nowhere",
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    stdin: () => Readable.from(input === "" ? [] : [input]),
    clock: createFakeClock(),
    signal: new AbortController().signal,
    version: "1.2.3",
    ...rest,
    said,
  };
}

/** Runs a command line in a folder without a process of its own: where what it says is what matters. */
export async function runHere(
  args: readonly string[],
  folder: string,
  parts: Partial<CliWorld> = {},
): Promise<CliResult> {
  const world = recordedWorld({ folder, ...parts });
  const code = await runCli(args, commands, world);
  return { code, ...world.said };
}
