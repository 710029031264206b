import { expect } from "vitest";
import { boundPort, type Program, shareProgram, startProgram } from "./programs.js";
import { frameOf, openSession, outcomeOf, predictMessage, startCall } from "./raw-grpc.js";
import { http, post } from "./raw-http.js";

/** The host's token; no answer and no log line may ever show it. */
export const TOKEN = "s3cret-t0ken-of-the-abused-host";

/** Sizes of floods are multiplied by this: `ABUSE_SCALE=10` for a long run. */
export const SCALE: number = Number(process.env["ABUSE_SCALE"] ?? 1);

const MiB = 1024 * 1024;

/** What an abuse may cost. */
export interface AbuseBounds {
  /** How much the host's resident memory may grow meanwhile, in MiB. */
  readonly growthMiB: number;
  /** Lines that the host may log meanwhile, besides those of failed calls: of these there are 100 a second. */
  readonly lines: number;
}

const usualBounds: AbuseBounds = { growthMiB: 96, lines: 2 };

/** A host in a process of its own, with a caller who means well. */
export interface AbusedHost {
  readonly port: number;
  readonly program: Program;
  /**
   * Runs an abuse while the innocent caller calls on both protocols without a pause, and expects that every one of its
   * calls is answered, that the host's memory and log grow no more than they may, and that it goes on answering.
   */
  abuse<T>(run: () => Promise<T>, bounds?: Partial<AbuseBounds>): Promise<T>;
  /** Waits until the host has no other connections than the innocent caller's. */
  alone(): Promise<void>;
}

/**
 * Starts one; it lives until the tests of the file are over.
 *
 * @param httpBody - What the innocent caller sends over HTTP, as the host wants it compressed.
 */
export async function startAbusedHost(
  options: object,
  httpBody: string | Uint8Array = "x",
): Promise<AbusedHost> {
  const program = shareProgram(
    startProgram("host.mjs", [JSON.stringify({ token: TOKEN, service: "demo", ...options })]),
  );
  await program.said("service started");
  const port = boundPort(program);
  const caller = new InnocentCaller(port, httpBody);
  await caller.call(40);
  return {
    port,
    program,
    async abuse(run, bounds = {}) {
      const { growthMiB, lines } = { ...usualBounds, ...bounds };
      const before = linesOf(program);
      const begunMs = performance.now();
      const loop = caller.loop();
      try {
        return await run();
      } finally {
        const { failed, grown } = await loop.stop();
        await caller.call(6);
        expect({ failed, exit: program.child.exitCode }).toEqual({ failed: [], exit: null });
        expect(grown / MiB).toBeLessThan(growthMiB);
        const after = linesOf(program);
        expect(after.others - before.others).toBeLessThanOrEqual(lines);
        const seconds = 2 + (performance.now() - begunMs) / 1_000;
        expect(after.failedCalls - before.failedCalls).toBeLessThanOrEqual(101 * seconds);
        expect(program.output()).not.toContain(TOKEN);
      }
    },
    async alone() {
      // While there are as many as there may be, the question itself may find no connection.
      const many = () => caller.connections().catch(() => Number.POSITIVE_INFINITY);
      while ((await many()) > caller.ownConnections) await pause(50);
    },
  };
}

interface Lines {
  readonly failedCalls: number;
  readonly others: number;
}

function linesOf(program: Program): Lines {
  const lines = program.output().split("\n");
  const failedCalls = lines.filter((line) =>
    /"msg":"(lines of )?(call failed|failed calls)/.test(line),
  ).length;
  return { failedCalls, others: lines.length - 1 - failedCalls };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Monitor {
  readonly residentBytes: number;
  readonly connections: number;
}

/** Calls in turn on one HTTP/2 connection and on fetch's kept HTTP/1.1 ones, and looks at the host's memory. */
class InnocentCaller {
  /** One of HTTP/2, one of fetch: it calls one thing after the other. */
  readonly ownConnections = 2;
  readonly #port: number;
  readonly #httpBody: string | Uint8Array;
  #session: ReturnType<typeof openSession>;

  constructor(port: number, httpBody: string | Uint8Array) {
    this.#port = port;
    this.#httpBody = httpBody;
    this.#session = openSession(port);
  }

  async #monitor(): Promise<Monitor> {
    const answer = await http(this.#port, "/api/builtin/monitor", {
      headers: { authorization: TOKEN },
    });
    return JSON.parse(answer.text) as Monitor;
  }

  async connections(): Promise<number> {
    return (await this.#monitor()).connections;
  }

  async #once(): Promise<string | undefined> {
    // An idle connection is closed by the host after a while, with a GOAWAY: that is no failure.
    if (this.#session.closed || this.#session.destroyed) this.#session = openSession(this.#port);
    const stream = startCall(this.#session, { authorization: TOKEN });
    stream.end(frameOf(predictMessage("x")));
    const outcome = await outcomeOf(stream);
    if (outcome.status !== 0) return `gRPC ${outcome.status} ${outcome.message} ${outcome.rstCode}`;
    const answer = await post(this.#port, "/api/predict/demo", this.#httpBody, {
      authorization: TOKEN,
    });
    return answer.status === 200 ? undefined : `HTTP ${answer.status} ${answer.text}`;
  }

  /** Calls so many times on each protocol; all must be answered. */
  async call(times: number): Promise<void> {
    for (let i = 0; i < times; i++) expect(await this.#once()).toBeUndefined();
  }

  loop(): { stop(): Promise<{ failed: readonly string[]; grown: number }> } {
    const failed: string[] = [];
    let stopped = false;
    let first: number | undefined;
    let most = 0;
    const look = async (): Promise<void> => {
      const { residentBytes } = await this.#monitor();
      first ??= residentBytes;
      most = Math.max(most, residentBytes);
    };
    const running = (async () => {
      await look();
      do {
        try {
          const failure = await this.#once();
          if (failure !== undefined) failed.push(failure);
          await look();
        } catch (thrown) {
          failed.push(String(thrown));
        }
        await pause(2);
      } while (!stopped);
      await look();
    })();
    return {
      async stop() {
        stopped = true;
        await running;
        return { failed, grown: most - (first ?? most) };
      },
    };
  }
}
