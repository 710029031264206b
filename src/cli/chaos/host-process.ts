import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { servingError } from "../../core/serving-error.js";
import type { Pace } from "./pace.js";
import { childrenOf, isCalled, signalTo } from "./processes.js";

/** A line that a host has logged, of its own life and not of single calls. */
export interface HostLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a host's process is started with. */
export interface HostProcessOptions {
  /** Absolute path of the script that runs the host, and sends its log lines to its parent. */
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until it has to be ready. */
  readonly startTimeoutMs: number;
  /** Its end is the host's. */
  readonly pace: Pace;
}

const running = new Set<HostProcess>();
process.once("exit", () => {
  for (const host of running) host.kill();
});

/** What tells a lane from other children of a host, such as the compiler that tsx starts. */
const LANE_ENTRY = "/lane/process-entry.";
const STOP_TIMEOUT_MS = 45_000;

/** A host in a process of its own, seen from outside. */
export class HostProcess {
  readonly pid: number;
  readonly lines: HostLine[] = [];
  #port = 0;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #pace: Pace;
  readonly #heard = new Set<(line: HostLine) => void>();

  private constructor({ script, args, env, pace }: HostProcessOptions) {
    const child = spawn(process.execPath, [script, ...args], {
      // What a lane says when it dies of its own accord is known by its death.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env,
    });
    running.add(this);
    this.#child = child;
    this.#pace = pace;
    const end = (): void => this.kill();
    pace.signal.addEventListener("abort", end, { once: true });
    this.pid = child.pid ?? 0;
    child.on("message", (line: HostLine) => {
      if (line.message !== "collected") this.lines.push(line);
      for (const listener of [...this.#heard]) listener(line);
    });
    this.#exited = once(child, "exit").then(([code]) => {
      running.delete(this);
      pace.signal.removeEventListener("abort", end);
      return code as number | null;
    });
  }

  /**
   * Starts a host; resolves when it is ready.
   *
   * @throws ProcessorError `INITIALIZE_FAILED` with what it said last when it is not ready in time; CallError `CANCELLED`.
   */
  static async start(options: HostProcessOptions): Promise<HostProcess> {
    options.pace.check();
    const host = new HostProcess(options);
    try {
      const line = await host.says("service started", options.startTimeoutMs);
      host.#port = Number(/:(\d+)$/.exec(String(line.fields["address"]))?.[1]);
      return host;
    } catch (thrown) {
      host.kill();
      await host.#exited;
      options.pace.check();
      throw thrown;
    }
  }

  get port(): number {
    return this.#port;
  }

  /** Process ids of its lanes, those that run. */
  lanePids(): readonly number[] {
    return childrenOf(this.pid).filter((pid) => isCalled(pid, LANE_ENTRY));
  }

  send(message: string): void {
    this.#child.send(message);
  }

  /** Stops the host as an operator does, with SIGTERM. Tells its exit code, null when it had to be killed. */
  async stop(timeoutMs: number = STOP_TIMEOUT_MS): Promise<number | null> {
    const cancel = this.#pace.clock.after(timeoutMs, () => this.kill());
    this.#child.kill("SIGTERM");
    const code = await this.#exited;
    cancel();
    return code;
  }

  /** Ends the process and its lanes at once: one that is stopped would not see the end of its host. */
  kill(): void {
    const lanes = this.lanePids();
    this.#child.kill("SIGKILL");
    for (const pid of lanes) signalTo(pid, "SIGKILL");
  }

  /** Waits for a line. */
  says(message: string, timeoutMs: number): Promise<HostLine> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        settle();
        const { message: last = "nothing" } = this.lines.at(-1) ?? {};
        const text = `the host ${why} without saying "${message}", last it said: ${last}`;
        reject(servingError("INITIALIZE_FAILED", text));
      };
      const stopTimer = this.#pace.clock.after(timeoutMs, () =>
        fail(`went on for ${timeoutMs} ms`),
      );
      const ended = (code: number | null): void => fail(`ended with ${code}`);
      const listen = (line: HostLine): void => {
        if (line.message !== message) return;
        settle();
        resolve(line);
      };
      const settle = (): void => {
        stopTimer();
        this.#heard.delete(listen);
        this.#child.off("exit", ended);
      };
      this.#heard.add(listen);
      this.#child.once("exit", ended);
    });
  }
}
