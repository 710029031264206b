import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostOptions } from "inferwire/host";
import { HostProcess } from "../../src/cli/chaos/host-process.js";
import { pace } from "../support/pace.js";

/** What a host has noted of a call; moments as {@link machineMs} has them. */
export type Note =
  | {
      readonly id: number;
      readonly what: "arrived";
      readonly atMs: number;
      /** What was left of its time then; null for no limit. */
      readonly leftMs: number | null;
      /** How long the host's main thread, which reads calls, had waited for a core by then. */
      readonly waitedMs: number;
    }
  | {
      readonly id: number;
      readonly what: "given up" | "ended";
      readonly atMs: number;
      readonly reason: string | undefined;
    };

/** What a payload tells such a host to do. */
export type Order = "echo" | "hang" | "trickle" | "next";

/** The payload of a call. */
export function orderOf(order: Order, id: number): Buffer {
  return Buffer.from(JSON.stringify({ id, do: order }));
}

/** Milliseconds of the clock that all processes of the machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const START_TIMEOUT_MS = 20_000;

/** A host in a process of its own, that runs `programs/noting-host.mjs`. */
export class NotingHost implements AsyncDisposable {
  readonly #process: HostProcess;
  readonly #folder: string;

  private constructor(process: HostProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /**
   * Starts a host; resolves when it is ready.
   *
   * @param next - `host:port` of the one that it asks in its turn
   */
  static async start(options: HostOptions = {}, next?: string): Promise<NotingHost> {
    const folder = mkdtempSync(join(tmpdir(), "inferwire-calls-"));
    const modelConfig = { journal: join(folder, "journal"), next };
    try {
      const started = await HostProcess.start({
        script: fileURLToPath(new URL("programs/noting-host.mjs", import.meta.url)),
        args: [JSON.stringify({ ...options, modelConfig })],
        env: process.env,
        startTimeoutMs: START_TIMEOUT_MS,
        pace,
      });
      return new NotingHost(started, folder);
    } catch (thrown) {
      rmSync(folder, { recursive: true, force: true });
      throw thrown;
    }
  }

  /** `127.0.0.1:PORT`. */
  get key(): string {
    return `127.0.0.1:${this.#process.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Stops it as a black hole is: it takes connections and bytes, and says nothing. */
  freeze(): void {
    process.kill(this.#process.pid, "SIGSTOP");
  }

  /** Has it go on. */
  thaw(): void {
    process.kill(this.#process.pid, "SIGCONT");
  }

  /** All it has noted so far. */
  notes(): readonly Note[] {
    const lines = readFileSync(join(this.#folder, "journal"), "utf8").split("\n");
    // The last line may not be whole yet.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Note);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
