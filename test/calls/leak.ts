import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { BaseProcessor, type Call, startHost } from "inferwire/host";
import { type Bar, barTable, mib, never } from "../../src/cli/chaos/report.js";
import { silentLogger } from "../../src/core/ports.js";
import { fitLine } from "../support/figures.js";
import type { ProofPorts } from "../support/proof-ports.js";

/** How many clients are opened and closed, and how often the process is looked at. */
export interface LeakSize {
  readonly clients: number;
  readonly samples: number;
  /** Before each look: timers hold what was closed in the middle of connecting for as long as that may take, 2 s. */
  readonly settleMs: number;
}

/** Sizes of a whole run and of a quick one. */
export const leakSizes: Readonly<Record<"full" | "small", LeakSize>> = {
  full: { clients: 100_000, samples: 20, settleMs: 3_000 },
  small: { clients: 2_000, samples: 5, settleMs: 3_000 },
};

/** The process of the clients, right after a collection, with none of them open. */
interface Sample {
  readonly clients: number;
  readonly heapBytes: number;
  /** Of buffers and other things outside of the heap. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** What keeps the event loop going, by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

/** How the process of the clients went. */
export interface LeakFigures {
  readonly samples: readonly Sample[];
  /** How the calls ended. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** What a client may leave behind, in bytes: less than the smallest object that could hold anything. */
const BYTES_A_CLIENT = 20;
const CLIENTS_AT_A_TIME = 32;

/** How calls may end: as they should, or because the machine had no time for them. */
const known = new Set([
  "OK",
  "CLIENT_CLOSED",
  "DEADLINE_EXCEEDED",
  "CONNECT_FAILED",
  "CONNECTION_LOST",
]);

class Staying extends BaseProcessor {
  override async process(data: Uint8Array, call: Call): Promise<Uint8Array> {
    const stays = Buffer.from(data).toString() === "stay";
    if (stays) await wait(5_000, undefined, { signal: call.signal }).catch(() => undefined);
    return data;
  }
}

/**
 * Opens and closes clients in a process of their own: three of four that are never used, the others after a call or in the middle
 * of one, over gRPC and over HTTP.
 */
export async function runLeak(size: LeakSize, { print }: ProofPorts): Promise<LeakFigures> {
  const options = { endpoint: "0.0.0.0:0", logger: silentLogger, workerThreads: 64 };
  const host = await startHost(new Staying(), options);
  const program = fileURLToPath(new URL("programs/leak-clients.mjs", import.meta.url));
  const asked = { ...size, port: host.address.port, atATime: CLIENTS_AT_A_TIME };
  const args = ["--expose-gc", program, JSON.stringify(asked)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const samples: Sample[] = [];
  let outcomes: Readonly<Record<string, number>> | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const read = JSON.parse(line) as Sample | Pick<LeakFigures, "outcomes">;
      if ("outcomes" in read) outcomes = read.outcomes;
      else samples.push(read);
      if ("heapBytes" in read && samples.length % 5 === 0) print(`  ${shown(read)}`);
    }
    await exited;
  } finally {
    child.kill();
    await host.close({ gracePeriodMs: 0 });
  }
  if (outcomes === undefined) throw new Error("the process of the clients ended early");
  print(`  calls: ${JSON.stringify(outcomes)}`);
  return { samples, outcomes };
}

function shown({ clients, heapBytes, externalBytes, rssBytes, handles }: Sample): string {
  const memory = `heap ${mib(heapBytes)}, external ${mib(externalBytes)}, resident ${mib(rssBytes)}`;
  return `${clients} clients: ${memory}, handles ${JSON.stringify(handles)}`;
}

/**
 * What has to hold from the first fifth on, when everything is compiled that ever will be: the line through the samples rises by less
 * than 20 bytes a client, or by less than twice the samples' own deviation from it over the whole; and no more handles.
 */
export function leakBars({ samples, outcomes }: LeakFigures): readonly Bar[] {
  const late = samples.slice(Math.ceil(samples.length / 5) - 1);
  const at = (part: number): Sample | undefined => samples[Math.round(samples.length * part) - 1];
  const three = [at(0.2), at(0.6), at(1)];
  const memory = (["heapBytes", "externalBytes"] as const).map((kind): Bar => {
    const line = fitLine(late.map((sample) => [sample.clients, sample[kind]]));
    const over = (at(1)?.clients ?? 0) - (at(0.2)?.clients ?? 0);
    const noise = (2 * line.deviation) / Math.max(1, over);
    const seen = three.map((sample) => mib(sample?.[kind] ?? Number.NaN)).join(", ");
    return {
      what: kind === "heapBytes" ? "heap" : "memory outside of the heap",
      bar: `rises by less than ${BYTES_A_CLIENT} bytes a client, or by noise`,
      figure: `${line.slope.toFixed(1)} (noise ${noise.toFixed(1)}); ${seen} at 20, 60, 100 %`,
      met: line.slope < Math.max(BYTES_A_CLIENT, noise),
    };
  });
  const handles = three.map((sample) => handlesOf(sample?.handles));
  const calls = Object.entries(outcomes);
  const others = calls.filter(([reason]) => !known.has(reason));
  return [
    ...memory,
    {
      what: "handles",
      bar: "no more at 60 and 100 % than at 20 %",
      figure: handles.join(", "),
      met: handles.every((count) => count <= (handles[0] ?? 0)),
    },
    never("calls without a known end", sum(others), sum(calls)),
  ];
}

function handlesOf(handles: Readonly<Record<string, number>> = {}): number {
  return sum(Object.entries(handles));
}

function sum(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((all, [, count]) => all + count, 0);
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const size = process.argv.includes("--small") ? "small" : "full";
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(barTable(leakBars(await runLeak(leakSizes[size], { random: Math.random, print }))));
}
