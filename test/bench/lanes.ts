import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { startHost } from "inferwire/host";
import type { Invocation } from "../../src/core/invocation.js";
import type { LanePool } from "../../src/lane/lane-pool.js";
import type { LaneKind } from "../../src/processor/processor.js";
import { built } from "../support/built-kit.js";
import { median, spread } from "../support/figures.js";

const kinds: readonly LaneKind[] = ["inline", "thread", "process"];
const sizes = [
  { name: "1 KiB", bytes: 1_024, calls: 3_000 },
  { name: "600 KB", bytes: 600_000, calls: 300 },
] as const;
const bars: Readonly<Record<string, number>> = {
  "process 1 KiB": 80,
  "thread 1 KiB": 45,
  "thread 600 KB": 150,
};
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 9);
const module = new URL("./programs/lane-echo.mjs", import.meta.url).href;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const { createHostLanes } =
  await built<typeof import("../../src/host/host-lanes.js")>("host/host-lanes.js");
const { resolveHostOptions } = await built<typeof import("../../src/host/resolve-host-options.js")>(
  "host/resolve-host-options.js",
);
const { systemClock } = await built<typeof import("../../src/core/ports.js")>("core/ports.js");
const { CallAbort } =
  await built<typeof import("../../src/core/call-abort.js")>("core/call-abort.js");
const { metadataOf } = await built<typeof import("../../src/core/metadata.js")>("core/metadata.js");

/** What a gRPC call of a usual client has for headers. */
const metadata = metadataOf({
  "user-agent": "grpc-node-js/1.14.7",
  "accept-encoding": "identity",
  "grpc-accept-encoding": "identity,deflate,gzip",
  authorization: "bench-token",
});

async function openPool(kind: LaneKind): Promise<LanePool> {
  const { processor: Echo } = (await import(module)) as { processor: new () => object };
  const options = resolveHostOptions({
    lane: kind,
    module,
    ...(kind === "thread" ? { workerThreads: 1 } : {}),
  });
  const pool = createHostLanes(new Echo(), options, {
    clock: systemClock,
    logger: silent,
    random: Math.random,
    signal: new AbortController().signal,
    properties: new Map(),
    warmingUp: () => {},
  });
  await pool.start();
  return pool;
}

function invocationOf(payloads: Uint8Array): Invocation {
  const abort = new CallAbort();
  const arrivedMs = systemClock.now();
  return {
    door: "grpc",
    handler: "process",
    service: "bench",
    method: "/inferwire.predict.v1.PredictService/Predict",
    path: "",
    query: "",
    metadata,
    peer: "127.0.0.1:40000",
    arrivedMs,
    deadlineMs: arrivedMs + 5_000,
    callerDeadlineMs: Number.POSITIVE_INFINITY,
    payloads,
    takesPieces: false,
    abort,
    giveUp: (reason) => abort.abort(reason),
  };
}

/** CPU time of this process with its threads, and of its children, in microseconds. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  const ticks = children
    .split(" ")
    .filter((pid) => pid !== "")
    .map((pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(fields[11]) + Number(fields[12]);
    });
  return user + system + ticks.reduce((sum, each) => sum + each, 0) * 10_000;
}

interface Figures {
  readonly p50Us: number[];
  readonly cpuUs: number[];
}

async function round(pool: LanePool, bytes: number, calls: number): Promise<[number, number]> {
  const times: number[] = [];
  const before = cpuUs();
  for (let n = 0; n < calls; n++) {
    const invocation = invocationOf(Buffer.alloc(bytes, n % 256));
    const started = performance.now();
    const place = pool.take();
    await place?.run(invocation);
    place?.release();
    times.push((performance.now() - started) * 1_000);
  }
  return [median(times), (cpuUs() - before) / calls];
}

/** Round trips of bare postMessage with 1 KiB transferred: what waking a thread costs on this machine, now. */
async function benchBare(print: (line: string) => void): Promise<void> {
  const echo = `const { parentPort } = require("node:worker_threads");
    parentPort.on("message", (bytes) => parentPort.postMessage(bytes, [bytes]));`;
  const worker = new Worker(echo, { eval: true });
  const times: number[] = [];
  for (let n = 0; n < 6_000; n++) {
    const started = performance.now();
    const bytes = new ArrayBuffer(1_024);
    worker.postMessage(bytes, [bytes]);
    await once(worker, "message");
    if (n >= 3_000) times.push((performance.now() - started) * 1_000);
  }
  await worker.terminate();
  print(`bare postMessage of 1 KiB there and back: p50 ${median(times).toFixed(1)} us`);
}

type Size = (typeof sizes)[number];

async function benchSize(
  pools: ReadonlyMap<LaneKind, LanePool>,
  { name, bytes, calls }: Size,
  print: (line: string) => void,
): Promise<void> {
  const all = new Map<LaneKind, Figures>(kinds.map((kind) => [kind, { p50Us: [], cpuUs: [] }]));
  for (let r = -1; r < ROUNDS; r++) {
    for (const [kind, pool] of pools) {
      const [p50, cpu] = await round(pool, bytes, calls);
      // The first round warms up.
      if (r < 0) continue;
      all.get(kind)?.p50Us.push(p50);
      all.get(kind)?.cpuUs.push(cpu);
    }
  }
  print(`one call of ${name} at a time through a lane, ${ROUNDS} rounds of ${calls}`);
  const inline = all.get("inline")?.p50Us ?? [];
  for (const [kind, { p50Us, cpuUs: cpu }] of all) {
    const added = spread(p50Us.map((value, index) => value - (inline[index] ?? 0)));
    const bar = bars[`${kind} ${name}`];
    print(
      `  ${kind.padEnd(8)} p50 ${spread(p50Us).padEnd(20)} us   CPU ${median(cpu).toFixed(0).padStart(4)} us` +
        `${kind === "inline" ? "" : `   added ${added}`}${bar === undefined ? "" : `   bar ${bar}`}`,
    );
  }
}

async function benchDispatch(print: (line: string) => void): Promise<void> {
  const pools = new Map<LaneKind, LanePool>();
  for (const kind of kinds) pools.set(kind, await openPool(kind));
  for (const size of sizes) await benchSize(pools, size, print);
  await Promise.all([...pools.values()].map((pool) => pool.close(1_000)));
}

function post(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method: "POST", path: "/" }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume();
      once(response, "end").then(() => resolve(), reject);
    });
    sent.on("error", reject);
    sent.end("s");
  });
}

async function rate(port: number, agent: Agent, ms: number): Promise<number> {
  const startedMs = performance.now();
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() - startedMs < ms) {
      await post(port, agent);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: 6 }, caller));
  return answered / ((performance.now() - startedMs) / 1_000);
}

async function benchScaling(print: (line: string) => void): Promise<void> {
  const { processor: Echo } = (await import(module)) as { processor: new () => never };
  const agent = new Agent({ keepAlive: true });
  const hosts = await Promise.all(
    [1, 2].map((workerProcesses) =>
      startHost(new Echo(), {
        lane: "process",
        workerProcesses,
        module,
        endpoint: "127.0.0.1:0",
        logger: silent,
      }),
    ),
  );
  const rates: [number[], number[]] = [[], []];
  for (let r = -1; r < ROUNDS; r++) {
    for (const [index, host] of hosts.entries()) {
      const perSecond = await rate(host.address.port, agent, 1_500);
      if (r >= 0) rates[index === 0 ? 0 : 1].push(perSecond);
    }
  }
  const [one, two] = rates;
  const ratios = two.map((value, index) => value / (one[index] ?? Number.NaN));
  print(`a processor that computes for 5 ms, 6 callers, ${ROUNDS} rounds`);
  print(`  1 process lane   ${spread(one)} calls/s`);
  print(`  2 process lanes  ${spread(two)} calls/s   ${spread(ratios, 2)} x   bar 1.6`);
  agent.destroy();
  await Promise.all(hosts.map((host) => host.close()));
}

/** What crossing into a lane costs, and what a second process lane brings; Linux only. */
export async function benchLanes(print: (line: string) => void): Promise<void> {
  await benchBare(print);
  await benchDispatch(print);
  await benchScaling(print);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await benchLanes((line) => console.log(line));
}
