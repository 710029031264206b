import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach } from "vitest";

/** A program that runs. */
export interface Program {
  readonly child: ChildProcess;
  /** Everything it has said so far. */
  output(): string;
  /** Waits until it has said this. */
  said(text: string): Promise<void>;
  /** Its exit code, when it has ended. */
  readonly exited: Promise<number | null>;
}

const running = new Set<ChildProcess>();

/** Programs that all tests of a file share. */
const shared = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

afterAll(() => {
  for (const child of shared) child.kill("SIGKILL");
});

/** Lets a program run until all tests of the file are over. */
export function shareProgram(program: Program): Program {
  running.delete(program.child);
  shared.add(program.child);
  return program;
}

/** Starts a program of `test/e2e/programs` in a process of its own, that is ended after the test. */
export function startProgram(
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Program {
  return startNode([fileURLToPath(programUrl(file)), ...args], env);
}

/** URL of a program of `test/e2e/programs`. */
export function programUrl(file: string): string {
  return new URL(`../e2e/programs/${file}`, import.meta.url).href;
}

/** Starts Node.js in a process of its own, that is ended after the test. */
export function startNode(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder: string = process.cwd(),
): Program {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, ...env } });
  running.add(child);
  let output = "";
  const heard = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const listener of heard) listener();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const exited = once(child, "exit").then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return {
    child,
    output: () => output,
    exited,
    said: (text) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!output.includes(text)) return;
          heard.delete(check);
          resolve();
        };
        heard.add(check);
        check();
      }),
  };
}

/** The port in the line that says that the port was bound. */
export function boundPort(program: Program): number {
  return Number(/"address":"[^"]*:(\d+)"/.exec(program.output())?.[1]);
}
