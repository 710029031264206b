import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Processes of one run; all are ended with it, however it ends. */
export class Children {
  readonly #all = new Set<ChildProcess>();

  /** Starts a TypeScript file of this folder. What it logs goes to `log`, or nowhere. */
  start(file: string, args: readonly string[], log: "inherit" | "ignore"): ChildProcess {
    const script = fileURLToPath(new URL(file, import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
      stdio: ["ignore", log, "inherit", "ipc"],
    });
    this.#all.add(child);
    child.once("exit", () => this.#all.delete(child));
    return child;
  }

  /** Asks every process that is left to stop, and waits until it has. */
  async stop(): Promise<void> {
    const children = [...this.#all];
    const ended = children.map((child) => once(child, "exit"));
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(ended);
  }
}
