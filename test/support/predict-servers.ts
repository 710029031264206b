import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** grpc-js servers of PredictService, which echo, in a process of their own. */
export interface PredictServers extends Disposable {
  readonly ports: readonly number[];
  /** True when this process and the servers' have a core each. */
  readonly pinned: boolean;
}

/** Where the servers listen, and how many they are. */
export interface PredictServersOptions {
  readonly address: string;
  readonly count: number;
  /** Gives this process and theirs a core each, where that can be done. */
  readonly pin?: boolean;
}

/** Starts the servers. */
export async function startPredictServers(options: PredictServersOptions): Promise<PredictServers> {
  const { address, count, pin = false } = options;
  const pinned = pin && pinnedToSecondCore();
  const program = fileURLToPath(new URL("../calls/programs/predict-server.mjs", import.meta.url));
  const own = [process.execPath, program, address, String(count)];
  const [command = "", ...args] = pinned ? ["taskset", "-c", "0", ...own] : own;
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [line]: unknown[] = await once(child.stdout, "data");
  return {
    ports: String(line).trim().split(",").map(Number),
    pinned,
    [Symbol.dispose]() {
      child.stdin.end();
    },
  };
}

function pinnedToSecondCore(): boolean {
  try {
    execFileSync("taskset", ["-apc", "1", String(process.pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
