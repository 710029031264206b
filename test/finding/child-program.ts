import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program of `test/e2e/programs` in a process of its own. */
export interface ChildProgram {
  /** Ends it by SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a program with its options as JSON, and waits until its log says this. */
export async function startChild(
  file: string,
  options: object,
  says: string,
): Promise<ChildProgram> {
  const path = fileURLToPath(new URL(`../e2e/programs/${file}`, import.meta.url));
  const args = [path, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  running.add(child);
  const exited = once(child, "exit").then(() => {
    running.delete(child);
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      if (said.includes(says)) return;
      said += chunk.toString();
      if (said.includes(says)) resolve();
    });
    void exited.then(() => reject(new Error(`${file} ended: ${said}`)));
  });
  return {
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
