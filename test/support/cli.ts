import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { emptyFolder, insideKit, kitFolder } from "./folders.js";
import { type Program, startNode } from "./programs.js";

/** The built command. */
export const cliFile: string = join(kitFolder, "dist/src/cli/main.js");

/** What a command line has come to. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command line is run. */
export interface CliRunOptions {
  /** What is written to it; without it stdin is closed at once. */
  readonly stdin?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs the built command to its end. */
export function runCli(args: readonly string[], options: CliRunOptions = {}): Promise<CliResult> {
  return runNode([cliFile, ...args], options);
}

/** Runs Node to its end. */
export async function runNode(
  args: readonly string[],
  { stdin, env = {}, cwd }: CliRunOptions = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdin.end(stdin);
  const exited = once(child, "exit");
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  return { code: code as number | null, stdout, stderr };
}

/** Starts the built command, to be told more, or stopped; ended after the test. */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  return startNode([cliFile, ...args], env);
}

/** A folder of its own for files that are written in a test, removed after all tests of the file. */
export function scratchFolder(): {
  path(name: string): string;
  write(name: string, text: string): string;
} {
  const folder = emptyFolder(insideKit);
  const path = (name: string): string => join(folder, name);
  return {
    path,
    write(name, text) {
      writeFileSync(path(name), text);
      return path(name);
    },
  };
}

/** The port in the line that says what is served. */
export function servedPort(program: Program): number {
  return Number(
    /"address":"[^"]*:(\d+)"|at \S+:(\d+)/.exec(program.output())?.slice(1).find(Boolean),
  );
}
