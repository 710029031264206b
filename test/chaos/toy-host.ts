import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostOptions } from "inferwire/host";
import { type HostLine, HostProcess } from "../../src/cli/chaos/host-process.js";
import { pace } from "../support/pace.js";

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

const START_TIMEOUT_MS = 20_000;
const COLLECT_TIMEOUT_MS = 20_000;

/** A host in a process of its own, that runs `programs/toy.mjs`. */
export class ToyHost {
  readonly #process: HostProcess;
  readonly #folder: string;
  readonly #journal: number;
  #readBytes = 0;

  private constructor(process: HostProcess, folder: string, journal: number) {
    this.#process = process;
    this.#folder = folder;
    this.#journal = journal;
  }

  /** Starts a host; resolves when it is ready. */
  static async start(options: HostOptions, nodeOptions: readonly string[] = []): Promise<ToyHost> {
    const folder = mkdtempSync(join(tmpdir(), "inferwire-chaos-"));
    const path = join(folder, "journal");
    const journal = openSync(path, "a+");
    try {
      const started = await HostProcess.start({
        script: fileURLToPath(new URL("programs/toy.mjs", import.meta.url)),
        args: [JSON.stringify(options)],
        env: { ...process.env, NODE_OPTIONS: nodeOptions.join(" "), CHAOS_JOURNAL: path },
        startTimeoutMs: START_TIMEOUT_MS,
        pace,
      });
      return new ToyHost(started, folder, journal);
    } catch (thrown) {
      removeJournal(folder, journal);
      throw thrown;
    }
  }

  get port(): number {
    return this.#process.port;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get lines(): readonly HostLine[] {
    return this.#process.lines;
  }

  /** Process ids of its lanes, those that run. */
  lanePids(): readonly number[] {
    return this.#process.lanePids();
  }

  async monitor(): Promise<MonitorAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/builtin/monitor`);
    return (await response.json()) as MonitorAnswer;
  }

  /** Has the host's own heap collected, when it was started with `--expose-gc`. */
  async collect(): Promise<void> {
    const collected = this.#process.says("collected", COLLECT_TIMEOUT_MS);
    this.#process.send("collect");
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
  stop(): Promise<number | null> {
    return this.#process.stop();
  }

  /** Removes what the host has written; after {@link stop} and the last look at {@link starts}. */
  [Symbol.dispose](): void {
    this.#process.kill();
    removeJournal(this.#folder, this.#journal);
  }
}

function removeJournal(folder: string, journal: number): void {
  closeSync(journal);
  rmSync(folder, { recursive: true, force: true });
}

function startIn(line: string): Start {
  const [id, pid, state] = line.split(" ");
  return { id: Number(id), pid: Number(pid), state: state as Start["state"] };
}
