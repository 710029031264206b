import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { errorFromPlain } from "../../core/error-codec.js";
import type { CancelTimer } from "../../core/ports.js";
import { type ServingError, servingError } from "../../core/serving-error.js";
import type { CliContext } from "../command.js";
import { shownError } from "../shown-error.js";
import type { FileWatch } from "./file-watch.js";
import { generateToken } from "./generated-token.js";
import type { ServedHost } from "./serve-host.js";
import type { ServeRequest } from "./serve-sources.js";
import { showServed } from "./show-served.js";
import type { WatchOrder, WatchReport } from "./watch-message.js";

/** A process that serves, as the one that watches sees it. */
export interface ServingProcess {
  tell(order: WatchOrder): void;
  /** Gives it no more connections, without its doing. */
  leavePort(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Who hears of a process that serves. */
export interface ServingListener {
  hear(report: WatchReport): void;
  /** @param cause - exit code, or what signal ended it */
  exited(cause: string | number): void;
}

/** What watching is made of. */
export interface WatchedServePorts {
  fork(listener: ServingListener): ServingProcess;
  watch(changed: (files: readonly string[]) => void): Pick<FileWatch, "follow" | "close">;
}

/** One process that serves. */
interface Generation {
  readonly process: ServingProcess;
  /** What it has loaded, or tried to. */
  readonly files: Set<string>;
  served: ServedHost | undefined;
  readyMs: number;
  /** Whether it was asked for a sign and has given none yet. */
  deaf: boolean;
  cancelKill: CancelTimer;
}

/** One that ends by itself sooner than this after it was ready would do so again. */
const SOON_MS = 2_000;

/** How long one that is told to end may take to hear of it. */
const DEAF_MS = 5_000;

/** How much longer than it has said it may take to end. */
const LATE_MS = 10_000;

/**
 * ```
 * change --(rests)--> next starts -- ready --> next is current; the one before hands over and ends
 *                         `-- fails --> shown; the current one goes on
 * ```
 *
 * One that shall end is killed when it does not: a processor that computes without an end hears nothing.
 *
 * node:cluster's primary holds the listening socket and gives connections to whoever listens: for a moment both do.
 */
export class WatchedServe {
  readonly #ports: WatchedServePorts;
  readonly #context: CliContext;
  readonly #request: ServeRequest;
  readonly #argument: string;
  readonly #watch: ReturnType<WatchedServePorts["watch"]>;
  readonly #token = generateToken();
  readonly #living = new Set<Generation>();
  /** What those that failed since the current one was started have loaded. */
  #tried: readonly string[] = [];
  #current: Generation | undefined;
  #next: Generation | undefined;
  #everServed = false;
  #tokenShown = false;
  #stopping = false;
  /** Why nothing was ever served. */
  #failure: ServingError | undefined;
  #markEnded: () => void = () => {};

  constructor(request: ServeRequest, context: CliContext, ports: WatchedServePorts) {
    this.#request = request;
    this.#context = context;
    this.#ports = ports;
    this.#argument = resolve(request.folder, request.argument);
    this.#watch = ports.watch((files) => this.#changed(files));
  }

  /**
   * Serves until the signal, or until the one that serves was stopped by `term`.
   *
   * @throws ServingError why nothing was ever served.
   */
  async run(): Promise<void> {
    const { signal } = this.#context;
    const ended = new Promise<void>((resolveEnded) => {
      this.#markEnded = resolveEnded;
    });
    this.#start();
    if (signal.aborted) this.#stop();
    signal.addEventListener("abort", () => this.#stop(), { once: true });
    await ended;
    this.#watch.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #changed(files: readonly string[]): void {
    if (this.#stopping) return;
    const names = files.map((file) => relative(this.#request.folder, file));
    this.#context.terminal.note(`changed: ${names.join(", ")}`);
    this.#start();
  }

  #start(): void {
    // One that has not come so far yet is of an older state of the files.
    if (this.#next !== undefined) this.#dismiss(this.#next, { type: "leave", listed: true });
    const generation: Generation = {
      process: this.#ports.fork({
        hear: (report) => this.#hear(generation, report),
        exited: (cause) => this.#exited(generation, cause),
      }),
      files: new Set(),
      served: undefined,
      readyMs: 0,
      deaf: false,
      cancelKill: () => {},
    };
    this.#next = generation;
    this.#living.add(generation);
    this.#follow();
    this.#ask(this.#current);
  }

  /** Finds out, while another one starts, whether this one still hears anything. */
  #ask(generation: Generation | undefined): void {
    if (generation === undefined) return;
    generation.deaf = true;
    generation.process.tell({ type: "ask" });
  }

  #order(generation: Generation): void {
    // It was told to go before it could hear.
    if (this.#stopping || generation !== this.#next) {
      generation.process.kill();
      return;
    }
    const takesOver = this.#current !== undefined;
    generation.process.tell({ type: "start", takesOver, token: this.#token });
  }

  #dismiss(generation: Generation, order: WatchOrder): void {
    generation.process.tell(order);
    this.#killIn(generation, DEAF_MS);
  }

  #killIn(generation: Generation, ms: number): void {
    generation.cancelKill();
    const kill = (): void => generation.process.kill();
    generation.cancelKill = this.#context.clock.after(ms, kill, { background: true });
  }

  #hear(generation: Generation, report: WatchReport): void {
    generation.deaf = false;
    if (report.type === "files") {
      for (const file of report.files) generation.files.add(file);
      this.#follow();
    } else if (report.type === "awake") {
      this.#order(generation);
    } else if (report.type === "going") {
      this.#killIn(generation, report.withinMs + LATE_MS);
    } else if (generation === this.#next && report.type !== "here" && !this.#stopping) {
      if (report.type === "ready") this.#ready(generation, report.served);
      else this.#failed(generation, errorFromPlain(report.error));
    }
  }

  #follow(): void {
    const loaded = [this.#current, this.#next].flatMap((one) => [...(one?.files ?? [])]);
    this.#watch.follow([this.#argument, ...loaded, ...this.#tried], treesBeside(this.#argument));
  }

  #ready(generation: Generation, served: ServedHost): void {
    const before = this.#current;
    generation.served = served;
    generation.readyMs = this.#context.clock.now();
    this.#current = generation;
    this.#next = undefined;
    this.#everServed = true;
    this.#tried = [];
    this.#follow();
    if (before !== undefined) {
      const listed = before.served?.listing === served.listing;
      this.#dismiss(before, { type: "leave", listed });
      // What it were given now would get no answer, from neither.
      if (before.deaf) before.process.leavePort();
    }
    const generatedToken = this.#tokenShown ? undefined : served.generatedToken;
    this.#tokenShown ||= generatedToken !== undefined;
    showServed({ ...served, generatedToken }, this.#context);
  }

  #failed(generation: Generation, error: ServingError): void {
    this.#next = undefined;
    this.#tried = [...this.#tried, ...generation.files];
    if (!this.#everServed) {
      this.#failure = error;
      this.#stop();
      return;
    }
    const { terminal, debug } = this.#context;
    const { value, text } = shownError(error, debug);
    terminal.fail(value, text);
    const rest = this.#current === undefined ? "" : "the one from before goes on, ";
    terminal.note(`${rest}waiting for a change`);
  }

  #exited(generation: Generation, cause: string | number): void {
    this.#living.delete(generation);
    generation.cancelKill();
    if (this.#stopping) {
      if (this.#living.size === 0) this.#markEnded();
    } else if (generation === this.#next) {
      const text = `the process ended (${cause}) before its host was ready`;
      this.#failed(generation, servingError("INITIALIZE_FAILED", text));
    } else if (generation === this.#current) {
      this.#lost(generation, cause);
    }
  }

  /** The one that served has ended by itself. */
  #lost(generation: Generation, cause: string | number): void {
    this.#current = undefined;
    // The builtin `term` stops a host in order.
    if (cause === 0) this.#stop();
    if (this.#stopping) return;
    this.#context.terminal.note(`the process that served ended (${cause})`);
    if (this.#next !== undefined) return;
    if (this.#context.clock.now() - generation.readyMs >= SOON_MS) this.#start();
    else this.#context.terminal.note("waiting for a change");
  }

  #stop(): void {
    this.#stopping = true;
    for (const generation of this.#living) this.#dismiss(generation, { type: "stop" });
    if (this.#living.size === 0) this.#markEnded();
  }
}

/** Folders of protos and generated code that belong to what is served. */
function treesBeside(argument: string): readonly string[] {
  const root = packageRoot(dirname(argument)) ?? dirname(argument);
  return [join(root, "proto"), join(root, "gen")];
}

function packageRoot(folder: string): string | undefined {
  if (existsSync(join(folder, "package.json"))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : packageRoot(above);
}
