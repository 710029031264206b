import { pathToFileURL } from "node:url";
import { median, spread } from "../support/figures.js";
import { type BenchChild, startChild } from "./child.js";
import type { ServerKind } from "./protocol.js";

const kinds: readonly ServerKind[] = ["grpc-js", "nice-grpc", "host-grpc", "host-eas", "node-http"];
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 7);
const CALLS = Number(process.env["BENCH_CALLS"] ?? 12_000);

/** What one server has cost, round by round. */
export interface Row {
  readonly server: BenchChild;
  readonly port: number;
  readonly cpuUs: number[];
  readonly perSecond: number[];
}

async function round(kind: ServerKind, row: Row, load: BenchChild, calls: number): Promise<void> {
  const before = await row.server.ask<{ cpuUs: number }>({});
  const { ms } = await load.ask<{ ms: number }>({ kind, port: row.port, calls });
  const after = await row.server.ask<{ cpuUs: number }>({});
  row.cpuUs.push((after.cpuUs - before.cpuUs) / calls);
  row.perSecond.push((calls / ms) * 1_000);
}

/** CPU of one kind over that of another, round by round: median, lowest and highest. */
export function ratio(rows: Map<ServerKind, Row>, of: ServerKind, to: ServerKind): string {
  const a = rows.get(of)?.cpuUs ?? [];
  const b = rows.get(to)?.cpuUs ?? [];
  const paired = a.map((value, index) => value / (b[index] ?? Number.NaN));
  return `${spread(paired, 2)}`;
}

/** Rounds of all kinds in turn, each beginning with another one, after one that warms up. */
export async function measure(
  kinds: readonly ServerKind[],
  beforeRound: (port: number, kind: ServerKind) => Promise<void>,
): Promise<Map<ServerKind, Row>> {
  const load = startChild("./load-child.ts", [], 1);
  const rows = new Map<ServerKind, Row>();
  try {
    for (const kind of kinds) {
      const server = startChild("./server-child.ts", [kind], 0);
      const { port } = await server.receive<{ port: number }>();
      const row = { server, port, cpuUs: [], perSecond: [] };
      await round(kind, row, load, CALLS);
      rows.set(kind, { ...row, cpuUs: [], perSecond: [] });
    }
    const all = [...rows];
    for (let r = 0; r < ROUNDS; r++) {
      for (const [kind, row] of [...all.slice(r % all.length), ...all.slice(0, r % all.length)]) {
        await beforeRound(row.port, kind);
        await round(kind, row, load, CALLS);
      }
    }
    return rows;
  } finally {
    load.stop();
    for (const { server } of rows.values()) server.stop();
  }
}

/** A line for each kind. */
export function printRows(rows: Map<ServerKind, Row>, print: (line: string) => void): void {
  for (const [kind, { cpuUs, perSecond }] of rows) {
    print(
      `  ${kind.padEnd(11)} ${spread(cpuUs).padEnd(22)} us CPU  ${median(perSecond).toFixed(0)} calls/s`,
    );
  }
}

/** CPU per request and requests per second of a unary Predict of 1 KiB, five servers in turn. */
export async function benchServer(print: (line: string) => void): Promise<void> {
  const rows = await measure(kinds, async () => {});
  print(`server, unary Predict of 1 KiB, 64 in flight, ${ROUNDS} rounds of ${CALLS} calls`);
  printRows(rows, print);
  print(`  host over gRPC : bare nice-grpc   ${ratio(rows, "host-grpc", "nice-grpc")}   bar 1.0`);
  print(`  host over gRPC : bare grpc-js     ${ratio(rows, "host-grpc", "grpc-js")}`);
  print(`  host over EAS  : bare node:http   ${ratio(rows, "host-eas", "node-http")}   bar 1.6`);
}

/** As often as Prometheus reads by default. */
const SCRAPE_MS = 15_000;
let scrapedMs = Number.NEGATIVE_INFINITY;

async function readMetrics(port: number, kind: ServerKind): Promise<void> {
  if (kind !== "host-seen" || performance.now() - scrapedMs < SCRAPE_MS) return;
  scrapedMs = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (!(await answer.text()).includes("grpc_server_handled_total")) throw new Error("no metrics");
}

/** What metrics, log lines and scrapes cost. */
export async function benchSeen(print: (line: string) => void): Promise<void> {
  const rows = await measure(["host-unseen", "host-seen"], readMetrics);
  print(`metrics and log lines, unary Predict of 1 KiB, ${ROUNDS} rounds of ${CALLS} calls`);
  printRows(rows, print);
  print(`  on : off   ${ratio(rows, "host-seen", "host-unseen")}   bar 1.05`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await benchServer((line) => console.log(line));
}
