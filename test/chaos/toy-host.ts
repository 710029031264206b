import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostOptions } from "inferwire/host";
import { childrenOf } from "./processes.js";

/** A line that a host has logged, of its own life and not of single calls. */
export interface HostLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One order that was begun in a lane. */
export interface Start {
  readonly id: number;
  readonly pid: number;
  /** As the processor itself saw it: in time, after the deadline, or after the caller had left. */
  readonly state: "in-time" | "late" | "left";
}

/** What a chaos run reads of the builtin `monitor`. */
export interface MonitorAnswer {
  readonly heapBytes: number;
  readonly lanes: readonly { readonly state: string; readonly restarts: number }[];
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 45_000;

/** A host in a process of its own, that runs `programs/toy.mjs`. */
export class ToyHost {
  readonly pid: number;
  readonly lines: HostLine[] = [];
  #port = 0;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #journal: number;
  readonly #exited: Promise<number | null>;
  readonly #heard = new Set<(line: HostLine) => void>();
  #readBytes = 0;

  private constructor(options: HostOptions, nodeOptions: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), "inferwire-chaos-"));
    const journal = join(this.#folder, "journal");
    this.#journal = openSync(journal, "a+");
    const script = fileURLToPath(new URL("programs/toy.mjs", import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify(options)], {
      // What a lane says when it runs out of memory is known already.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: {
        ...process.env,
        NODE_OPTIONS: nodeOptions.join(" "),
        CHAOS_JOURNAL: journal,
      },
    });
    running.add(child);
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.on("message", (line: HostLine) => {
      if (line.message !== "collected") this.lines.push(line);
      for (const listener of [...this.#heard]) listener(line);
    });
    this.#exited = once(child, "exit").then(([code]) => {
      running.delete(child);
      return code as number | null;
    });
  }

  /** Starts a host; resolves when it is ready. */
  static async start(options: HostOptions, nodeOptions: readonly string[] = []): Promise<ToyHost> {
    const host = new ToyHost(options, nodeOptions);
    try {
      const line = await host.#says("service started");
      host.#port = Number(/:(\d+)$/.exec(String(line.fields["address"]))?.[1]);
      return host;
    } catch (thrown) {
      host[Symbol.dispose]();
      throw thrown;
    }
  }

  get port(): number {
    return this.#port;
  }

  /** Process ids of its lanes, those that run. */
  lanePids(): readonly number[] {
    return childrenOf(this.pid);
  }

  async monitor(): Promise<MonitorAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/builtin/monitor`);
    return (await response.json()) as MonitorAnswer;
  }

  /** Has the host's own heap collected, when it was started with `--expose-gc`. */
  async collect(): Promise<void> {
    const collected = this.#says("collected");
    this.#child.send("collect");
    await collected;
  }

  /** Orders begun since the last look. */
  starts(): readonly Start[] {
    const fresh = Buffer.alloc(fstatSync(this.#journal).size - this.#readBytes);
    if (fresh.length === 0) return [];
    readSync(this.#journal, fresh, 0, fresh.length, this.#readBytes);
    // The last line may not be whole yet.
    const end = fresh.lastIndexOf("\n") + 1;
    this.#readBytes += end;
    return fresh.toString("latin1", 0, end).split("\n").filter(Boolean).map(startIn);
  }

  /** Stops the host as an operator does, with SIGTERM. Tells its exit code, null when it had to be killed. */
  async stop(): Promise<number | null> {
    const tooLong = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    this.#child.kill("SIGTERM");
    const code = await this.#exited;
    clearTimeout(tooLong);
    return code;
  }

  /** Removes what the host has written; after {@link stop} and the last look at {@link starts}. */
  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
    closeSync(this.#journal);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #says(message: string): Promise<HostLine> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        settle();
        const last = this.lines.at(-1)?.message ?? "nothing";
        reject(new Error(`the host ${why} without saying "${message}", last it said: ${last}`));
      };
      const timer = setTimeout(() => {
        this.#child.kill("SIGKILL");
        fail("went on");
      }, START_TIMEOUT_MS);
      const ended = (code: number | null): void => fail(`ended with ${code}`);
      const listen = (line: HostLine): void => {
        if (line.message !== message) return;
        settle();
        resolve(line);
      };
      const settle = (): void => {
        clearTimeout(timer);
        this.#heard.delete(listen);
        this.#child.off("exit", ended);
      };
      this.#heard.add(listen);
      this.#child.once("exit", ended);
    });
  }
}

function startIn(line: string): Start {
  const [id, pid, state] = line.split(" ");
  return { id: Number(id), pid: Number(pid), state: state as Start["state"] };
}
