import { describe, expect, it } from "vitest";
import type { CliContext } from "../../../../src/cli/command.js";
import type { ServedHost } from "../../../../src/cli/serve/serve-host.js";
import type { WatchOrder, WatchReport } from "../../../../src/cli/serve/watch-message.js";
import { type ServingListener, WatchedServe } from "../../../../src/cli/serve/watched-serve.js";
import { createTerminal } from "../../../../src/cli/terminal.js";
import { plainWithCause } from "../../../../src/core/error-codec.js";
import { servingError } from "../../../../src/core/serving-error.js";
import { recordedWorld } from "../../../support/cli-world.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const DEAF_MS = 5_000;
const LATE_MS = 10_000;
const SOON_MS = 2_000;

const served: ServedHost = {
  address: "127.0.0.1:1",
  service: "s",
  lanes: { kind: "inline", count: 1 },
  generatedToken: undefined,
  listing: "l",
};

/** A process that serves, as far as a test says what it does. */
class FakeProcess {
  readonly orders: WatchOrder[] = [];
  killed = false;
  offPort = false;
  readonly #listener: ServingListener;

  constructor(listener: ServingListener) {
    this.#listener = listener;
  }

  tell(order: WatchOrder): void {
    this.orders.push(order);
  }

  leavePort(): void {
    this.offPort = true;
  }

  kill(): void {
    this.killed = true;
  }

  report(report: WatchReport): void {
    this.#listener.hear(report);
  }

  ready(parts: Partial<ServedHost> = {}): void {
    this.report({ type: "awake" });
    this.report({ type: "ready", served: { ...served, ...parts } });
  }

  exit(cause: string | number): void {
    this.#listener.exited(cause);
  }

  get last(): WatchOrder | undefined {
    return this.orders.at(-1);
  }
}

function watching() {
  const clock = createFakeClock();
  const stop = new AbortController();
  const { said, stdout, stderr } = recordedWorld();
  const context: CliContext = {
    env: {},
    folder: "/app",
    terminal: createTerminal({ json: false, stdout, stderr, clock }),
    stdin: () => {
      throw new Error("nobody reads it");
    },
    clock,
    signal: stop.signal,
    token: undefined,
    debug: false,
  };
  const processes: FakeProcess[] = [];
  const followed: { files: readonly string[]; closed: boolean } = { files: [], closed: false };
  let changed: (files: readonly string[]) => void = () => {};
  const request = { argument: "main.mjs", flags: {}, env: {}, folder: "/app" };
  const watched = new WatchedServe(request, context, {
    fork(listener) {
      const one = new FakeProcess(listener);
      processes.push(one);
      return one;
    },
    watch(listener) {
      changed = listener;
      return {
        follow: (files) => {
          followed.files = [...files];
        },
        close: () => {
          followed.closed = true;
        },
      };
    },
  });
  const ended = watched.run();
  return {
    clock,
    said,
    followed,
    ended,
    change: () => changed(["/app/main.mjs"]),
    stop: () => stop.abort(),
    /** The process of this number, from 0. */
    at(index: number): FakeProcess {
      const one = processes[index];
      if (one === undefined) throw new Error(`only ${processes.length} were started`);
      return one;
    },
    count: () => processes.length,
  };
}

const failure = plainWithCause(servingError("INITIALIZE_FAILED", "no module"));

describe("WatchedServe", () => {
  it("starts the first one, which takes nothing over, and says what is served", () => {
    const { at, said } = watching();
    at(0).ready();
    expect(at(0).orders).toMatchObject([{ type: "start", takesOver: false }]);
    expect(said.stdout).toBe("serving s at 127.0.0.1:1 (1 inline lane)\n");
  });

  it("ends with the error when not even the first one starts", async () => {
    const { at, ended, followed } = watching();
    at(0).report({ type: "failed", error: failure });
    at(0).exit(5);
    await expect(ended).rejects.toMatchObject({ reason: "INITIALIZE_FAILED" });
    expect(followed.closed).toBe(true);
  });

  it.each([
    ["l", true],
    ["other", false],
  ])("lets the next one take over, and the one before leave (%s)", (listing, listed) => {
    const { at, change } = watching();
    at(0).ready();
    change();
    expect(at(0).last).toEqual({ type: "ask" });
    at(0).report({ type: "here" });
    at(1).ready({ listing });
    expect(at(1).orders).toMatchObject([{ type: "start", takesOver: true }]);
    expect(at(0).last).toEqual({ type: "leave", listed });
    expect(at(0).offPort).toBe(false);
  });

  it("shows why the next one failed, and lets the current one go on", () => {
    const { at, change, said } = watching();
    at(0).ready();
    change();
    at(1).report({ type: "failed", error: failure });
    at(1).exit(5);
    expect(said.stderr).toContain("no module");
    expect(said.stderr).toContain("the one from before goes on, waiting for a change");
    expect(at(0).last).toEqual({ type: "ask" });
    change();
    expect(at(2).orders).toEqual([]);
  });

  it("drops a next one that another change overtakes", () => {
    const { at, change } = watching();
    at(0).ready();
    change();
    change();
    expect(at(1).last).toMatchObject({ type: "leave" });
    at(1).report({ type: "awake" });
    expect(at(1).killed).toBe(true);
    expect(at(1).last).toMatchObject({ type: "leave" });
  });

  it("kills one that leaves without a sign, and takes its place at the port from it", () => {
    const { at, change, clock } = watching();
    at(0).ready();
    change();
    at(1).ready();
    expect(at(0).offPort).toBe(true);
    clock.advance(DEAF_MS - 1);
    expect(at(0).killed).toBe(false);
    clock.advance(1);
    expect(at(0).killed).toBe(true);
    expect(at(1).killed).toBe(false);
  });

  it("gives one that has heard the time that it asks for, and some more", () => {
    const { at, change, clock } = watching();
    at(0).ready();
    change();
    at(1).ready();
    at(0).report({ type: "going", withinMs: 36_000 });
    clock.advance(36_000 + LATE_MS - 1);
    expect(at(0).killed).toBe(false);
    clock.advance(1);
    expect(at(0).killed).toBe(true);
  });

  it("has no timer left for one that has ended", () => {
    const { at, change, clock } = watching();
    at(0).ready();
    change();
    at(1).ready();
    at(0).exit(0);
    expect(clock.pending()).toEqual([]);
  });

  it("stops all in order, and ends when they have", async () => {
    const { at, change, stop, ended, clock } = watching();
    at(0).ready();
    change();
    stop();
    expect([at(0).last, at(1).last]).toEqual([{ type: "stop" }, { type: "stop" }]);
    at(1).exit(0);
    at(0).report({ type: "going", withinMs: 1_000 });
    at(0).exit(0);
    await ended;
    expect(clock.pending()).toEqual([]);
  });

  it("kills one that a stop does not reach", async () => {
    const { at, stop, ended, clock } = watching();
    at(0).ready();
    stop();
    clock.advance(DEAF_MS);
    expect(at(0).killed).toBe(true);
    at(0).exit("SIGKILL");
    await ended;
  });

  it("ends without an error when it is stopped before anything was served", async () => {
    const { at, stop, ended } = watching();
    stop();
    at(0).report({ type: "awake" });
    expect(at(0).killed).toBe(true);
    at(0).exit("SIGKILL");
    await ended;
  });

  it("replaces one that ended by itself, unless it did so soon", () => {
    const { at, clock, count, said } = watching();
    at(0).ready();
    clock.advance(SOON_MS);
    at(0).exit("SIGSEGV");
    expect(said.stderr).toContain("the process that served ended (SIGSEGV)");
    at(1).ready();
    at(1).exit(1);
    expect(count()).toBe(2);
    expect(said.stderr).toContain("waiting for a change");
  });

  it("ends when the one that serves was stopped by term", async () => {
    const { at, ended } = watching();
    at(0).ready();
    at(0).exit(0);
    await ended;
  });

  it("follows what was loaded, also by one that failed, until the next is ready", () => {
    const { at, change, followed } = watching();
    at(0).report({ type: "files", files: ["/app/a.mjs"] });
    at(0).ready();
    change();
    at(1).report({ type: "files", files: ["/app/b.mjs"] });
    at(1).report({ type: "failed", error: failure });
    at(1).exit(5);
    change();
    at(2).report({ type: "files", files: ["/app/a.mjs"] });
    expect(new Set(followed.files)).toEqual(new Set(["/app/main.mjs", "/app/a.mjs", "/app/b.mjs"]));
    at(2).ready();
    expect(new Set(followed.files)).toEqual(new Set(["/app/main.mjs", "/app/a.mjs"]));
  });

  it("shows a token that was made once", () => {
    const { at, change, said } = watching();
    at(0).ready({ generatedToken: "made" });
    change();
    at(1).ready({ generatedToken: "made" });
    expect(said.stderr.split("shown once: made")).toHaveLength(2);
  });
});
