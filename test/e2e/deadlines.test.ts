import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type CallExtras, createClient } from "inferwire/client";
import type { Call, HostOptions, LaneKind, Processor } from "inferwire/host";
import { BuiltinServiceDefinition, PredictServiceDefinition } from "inferwire/proto";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestHost } from "../support/hosts.js";
import { laneOptions } from "../support/lane-hosts.js";
import { programUrl, startNode } from "../support/programs.js";
import { until } from "../support/until.js";

/** A call as the inner host saw it arrive. */
interface Seen {
  readonly leftMs: number;
  readonly signal: AbortSignal;
}

const REQUEST_TIMEOUT_MS = 1_000;
const INNER_TIMEOUT_MS = 60_000;

/** A host whose processor asks another host, and what that one saw. */
async function startPair(kind: LaneKind, options: HostOptions = {}) {
  const seen: Seen[] = [];
  const inner = await startTestHost(
    {
      process: async (_, call: Call) => {
        const { path, signal } = call;
        const leftMs = call.remainingMs();
        seen.push({ leftMs, signal });
        if (path === "hang") await once(signal, "abort");
        return Buffer.from(String(Math.round(leftMs)));
      },
    },
    { requestTimeoutMs: INNER_TIMEOUT_MS },
  );
  const module = programUrl("inheriting.mjs");
  const { processor } = (await import(module)) as {
    processor: new (options: HostOptions) => Processor;
  };
  const outer = await new processor({
    ...laneOptions(kind, 1),
    module,
    modelConfig: { inner: `127.0.0.1:${inner.port}` },
    endpoint: "127.0.0.1:0",
    logLevel: "silent",
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...options,
  }).start();
  onTestFinished(() => outer.close({ gracePeriodMs: 0 }));
  const target = `127.0.0.1:${outer.address.port}`;
  const predict = createClient(PredictServiceDefinition, { target });
  const builtin = createClient(BuiltinServiceDefinition, { target });
  onTestFinished(() => predict[Symbol.asyncDispose]());
  onTestFinished(() => builtin[Symbol.asyncDispose]());
  const post = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://${target}${path}`, { method: "POST", ...init });
  const ask = async (path: string, extras: CallExtras = {}, data = ""): Promise<string> =>
    Buffer.from((await predict.predict({ path, data: Buffer.from(data) }, extras)).data).toString();
  return { seen, predict, builtin, post, ask };
}

type Pair = Awaited<ReturnType<typeof startPair>>;

/** Ways to have the outer host ask the inner one what time it has left, and the longest that can be. */
const ways: readonly (readonly [
  name: string,
  ask: (pair: Pair) => Promise<unknown>,
  most: number,
])[] = [
  ["gRPC", ({ ask }) => ask("ask", { timeoutMs: 500 }), 500],
  ["gRPC, by the host's own limit", ({ ask }) => ask("ask", { timeoutMs: 30_000 }), 1_000],
  ["EAS's HTTP", ({ post }) => post("/ask"), REQUEST_TIMEOUT_MS],
  [
    "Connect",
    ({ post }) =>
      post("/inferwire.predict.v1.PredictService/Predict", {
        headers: { "content-type": "application/json", "connect-timeout-ms": "500" },
        body: JSON.stringify({ path: "ask" }),
      }),
    500,
  ],
  [
    "a function over gRPC",
    ({ builtin }) => builtin.call({ function: "ask" }, { timeoutMs: 500 }),
    500,
  ],
  ["a function over HTTP", ({ post }) => post("/api/builtin/call?function=ask"), 1_000],
];

describe.each(["inline", "thread", "process"] as const)("calls in a call, lane %s", (kind) => {
  it("have no more time than it has left, whatever it came in by", async () => {
    const pair = await startPair(kind);
    for (const [name, ask, most] of ways) {
      await ask(pair);
      const leftMs = pair.seen.at(-1)?.leftMs ?? Number.NaN;
      expect([name, leftMs > 0 && leftMs < most, pair.seen.length]).toEqual([name, true, 1]);
      pair.seen.length = 0;
    }
  });

  it("end when its caller leaves, and when its time is over", async () => {
    const { ask, post, seen, predict } = await startPair(kind);
    const given = async (leave: () => void, call: Promise<unknown>): Promise<void> => {
      const ended = call.catch(() => {});
      await until(() => seen.length === 1);
      leave();
      await ended;
      await until(() => seen[0]?.signal.aborted === true);
      seen.length = 0;
    };
    for (const call of [
      (signal: AbortSignal) => predict.predict({ path: "hang" }, { signal }),
      (signal: AbortSignal) => post("/hang", { signal }),
    ]) {
      const leaving = new AbortController();
      await given(() => leaving.abort(), call(leaving.signal));
    }
    await given(() => {}, ask("hang", { timeoutMs: 300 }));
    await given(() => {}, post("/hang"));
  });

  it("have time of their own when they are detached, or come behind its answer", async () => {
    const { ask, seen } = await startPair(kind);
    expect(Number(await ask("detached", { timeoutMs: 500 }))).toBeGreaterThan(50_000);
    await ask("behind", { timeoutMs: 200 }, "300");
    await until(() => seen.length === 2);
    expect(seen[1]?.leftMs).toBeGreaterThan(50_000);
    expect(seen[1]?.signal.aborted).toBe(false);
  });

  it("go on in a loop that was begun in one that is given up, once its code has settled", async () => {
    const { ask } = await startPair(kind);
    await expect(ask("loop", { timeoutMs: 100 })).rejects.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
    });
    await until(async () => /-.*\+{5}$/.test(await ask("rounds")));
  });

  it("have the host's own limit only up to the first piece of an answer", async () => {
    const { predict, post } = await startPair(kind, { requestTimeoutMs: 400 });
    const check = (text: string): void => {
      const [first, last] = text.split(" ").map(Number);
      expect(first).toBeLessThan(400);
      expect(last).toBeGreaterThan(50_000);
    };
    const pieces: string[] = [];
    for await (const { data } of predict.predictStream({
      path: "pieces",
      data: Buffer.from("500"),
    })) {
      pieces.push(Buffer.from(data).toString());
    }
    check(pieces.join(""));
    check(await (await post("/pieces", { body: "500" })).text());
  });
});

describe("a call that has been served", () => {
  it("is let go of by the timers, loops and connections that were made on its behalf", async () => {
    const program = startNode(["--expose-gc", fileURLToPath(programUrl("served-calls-kept.mjs"))]);
    expect(await program.exited).toBe(0);
    expect(JSON.parse(program.output())).toEqual({
      answered: { served: 4, kept: 0 },
      failed: { served: 4, kept: 0 },
      pieces: { served: 4, kept: 0 },
      "given up": { served: 4, kept: 0 },
    });
  });
});
