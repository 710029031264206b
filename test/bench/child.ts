import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A process of a benchmark, pinned to one core where the machine can. */
export interface BenchChild {
  /** The next message that the child sends. */
  receive<T>(): Promise<T>;
  /** Sends an order and waits for its answer. */
  ask<T>(order: object): Promise<T>;
  stop(): void;
}

const canPin = spawnSync("taskset", ["-V"]).status === 0;

/** Starts a file of this folder in a process of its own. */
export function startChild(
  file: string,
  args: readonly string[],
  core: number,
  nodeOptions: readonly string[] = [],
): BenchChild {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const command = [process.execPath, ...nodeOptions, "--import", "tsx", script, ...args];
  const [program = process.execPath, ...rest] = canPin
    ? ["taskset", "-c", String(core), ...command]
    : command;
  const child: ChildProcess = spawn(program, rest, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const receive = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`${file} ended with ${code}`));
      child.once("exit", ended);
      child.once("message", (message: T & { error?: string }) => {
        child.off("exit", ended);
        if (message.error !== undefined) reject(new Error(message.error));
        else resolve(message);
      });
    });
  return {
    receive,
    ask(order) {
      const answer = receive();
      child.send(order);
      return answer as never;
    },
    stop() {
      child.kill("SIGKILL");
    },
  };
}
