import { isServingError } from "inferwire";
import { createClient, openChannel } from "inferwire/client";
import { PredictClient, StringRequest } from "inferwire/eas";
import type { HostOptions } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { type Bar, Counts, never } from "../../src/cli/chaos/report.js";
import { p99BelowMs } from "../finding/bars.js";
import { spread } from "../support/figures.js";
import { keepBusy, pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { waitedForCoreMs } from "../support/waited-for-core.js";
import { machineMs, type Note, NotingHost, type Order, orderOf } from "./noting-host.js";

/** Calls of each kind in each kind of lane. */
export interface DeadlineSize {
  readonly calls: number;
}

export const deadlineSizes: { readonly full: DeadlineSize; readonly small: DeadlineSize } = {
  full: { calls: 1_000 },
  small: { calls: 60 },
};

/** Kinds of lanes, with places for all calls that are made at a time. */
const lanes = {
  inline: { workerThreads: 16 },
  thread: { lane: "thread", workerThreads: 2, callsPerLane: 8 },
  process: { workerProcesses: 2, callsPerLane: 8 },
} satisfies Readonly<Record<string, HostOptions>>;

/** How calls are made: for each what its server is told to do, and whether its deadline goes over the wire. */
const ways: Readonly<Record<Way, { readonly order: Order; readonly sent: boolean }>> = {
  unary: { order: "hang", sent: true },
  "stream without an answer": { order: "hang", sent: false },
  stream: { order: "trickle", sent: false },
  EAS: { order: "hang", sent: false },
};

type Way = "unary" | "stream without an answer" | "stream" | "EAS";

const CALLS_AT_A_TIME = 8;
const SHORTEST_MS = 30;
const LONGEST_MS = 250;
const SETTLE_MS = 2_000;
const WARMING_CALLS = 20;
const APART_MS = 5;
const WORKED_ON_MS = 20;
const SERVICE = "noted";

/** How calls end whose time is over, or whose caller gave them up. */
const expected = ["DEADLINE_EXCEEDED", "CANCELLED", "AbortError", "TimeoutError"];

/** What servers saw of the deadlines of one kind of call in one kind of lane. */
export interface DeadlineFigures {
  readonly lane: string;
  readonly way: Way;
  readonly calls: number;
  /**
   * Between the end of a call's time as its server saw it on arrival and as its client has it, less the time in which the two
   * waited for a core on the call's way; none where it is not sent.
   */
  readonly apartMs: readonly number[];
  /** The same with that time; below 0 where the server's end is nearer. */
  readonly withWaitsMs: readonly number[];
  /** From the end of a call's time at its client to the end of the work for it. */
  readonly workedOnMs: readonly number[];
  /** From there to the end of the call at its client. */
  readonly endedMs: readonly number[];
  /** Calls that a server has begun and never given up. */
  readonly kept: number;
  readonly outcomes: Counts;
}

/** Makes calls that are never answered, with little time, and compares what their servers note with what their client knows. */
export async function runDeadline(
  size: DeadlineSize,
  { random, print }: ProofPorts,
): Promise<readonly DeadlineFigures[]> {
  const all: DeadlineFigures[] = [];
  for (const [lane, options] of Object.entries(lanes)) {
    await using host = await NotingHost.start({ ...options, service: SERVICE });
    await using caller = await openCaller(host.key);
    for (const way of Object.keys(ways) as Way[]) {
      const figures = await runOut(host, caller, { lane, way, calls: size.calls, random });
      const { outcomes, withWaitsMs } = figures;
      const waits =
        withWaitsMs.length === 0
          ? ""
          : `; ends apart with waits for a core: ${spread(withWaitsMs)} ms`;
      print(`  ${lane}, ${way}: ${outcomes}${waits}`);
      all.push(figures);
    }
  }
  return all;
}

interface Caller extends AsyncDisposable {
  /** Makes a call; settles when it has ended. */
  call(way: Way, data: Buffer, timeoutMs: number): Promise<unknown>;
}

async function openCaller(key: string): Promise<Caller> {
  const channel = openChannel({ target: key });
  const client = createClient(PredictServiceDefinition, { channel });
  const eas = new PredictClient(`http://${key}`, SERVICE);
  await Promise.all([channel.ready(), eas.init()]);
  const drain = async (data: Buffer, options: { timeoutMs?: number; signal?: AbortSignal }) => {
    for await (const _ of client.predictStream({ data }, options));
  };
  return {
    async call(way, data, timeoutMs) {
      switch (way) {
        case "unary":
          return client.predict({ data }, { timeoutMs });
        case "stream without an answer":
          return drain(data, { timeoutMs });
        case "stream":
          return drain(data, { signal: AbortSignal.timeout(timeoutMs) });
        case "EAS":
          return eas.predict(new StringRequest(data.toString()), { timeoutMs });
      }
    },
    async [Symbol.asyncDispose]() {
      await channel.close();
      await eas.close();
    },
  };
}

interface RunOut {
  readonly lane: string;
  readonly way: Way;
  readonly calls: number;
  readonly random: () => number;
}

let lastId = 0;

/** A call as it left its client. */
interface Sent {
  readonly expiryMs: number;
  /** When its bytes had left. */
  atMs: number;
  /** How long its client had waited for a core until then. */
  clientWaitedMs: number;
  /** How long its host had waited for one by then. */
  hostWaitedMs: number;
}

async function runOut(
  host: NotingHost,
  caller: Caller,
  { lane, way, calls, random }: RunOut,
): Promise<DeadlineFigures> {
  const sent = new Map<number, Sent>();
  const endedMs: number[] = [];
  const outcomes = new Counts();
  // A connection that is made, and code that runs for the first time, are no matter of deadlines.
  for (let n = 0; n < Math.min(calls, WARMING_CALLS); n++) {
    await caller.call(way, orderOf(ways[way].order, 0), SHORTEST_MS).catch(() => {});
  }
  await keepBusy(
    CALLS_AT_A_TIME,
    () => sent.size < calls,
    async () => {
      const id = ++lastId;
      const timeoutMs = Math.round(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
      const waitedMs = waitedForCoreMs(process.pid);
      const expiryMs = machineMs() + timeoutMs;
      const call: Sent = { expiryMs, atMs: Number.NaN, clientWaitedMs: 0, hostWaitedMs: 0 };
      sent.set(id, call);
      // What was written in this turn has left before the next one.
      setImmediate(() => {
        call.hostWaitedMs = waitedForCoreMs(host.pid);
        call.clientWaitedMs = waitedForCoreMs(process.pid) - waitedMs;
        call.atMs = machineMs();
      });
      try {
        await caller.call(way, orderOf(ways[way].order, id), timeoutMs);
        outcomes.add("OK");
      } catch (error) {
        endedMs.push(machineMs() - expiryMs);
        outcomes.add(outcomeOf(error));
      }
    },
  );
  const apartMs: number[] = [];
  const withWaitsMs: number[] = [];
  const workedOnMs: number[] = [];
  const arrived = (): readonly Note[] =>
    host.notes().filter(({ id, what }) => what === "arrived" && sent.has(id));
  const over = (): readonly Note[] =>
    host.notes().filter(({ id, what }) => what === "given up" && sent.has(id));
  await pace.until(() => over().length >= arrived().length, SETTLE_MS);
  for (const note of arrived()) {
    if (!ways[way].sent || note.what !== "arrived") continue;
    const call = sent.get(note.id);
    if (call === undefined) continue;
    const laterMs = note.atMs + (note.leftMs ?? Number.POSITIVE_INFINITY) - call.expiryMs;
    withWaitsMs.push(laterMs);
    apartMs.push(apartWithoutWaits(laterMs, note, call));
  }
  for (const { id, atMs } of over()) workedOnMs.push(atMs - (sent.get(id)?.expiryMs ?? 0));
  const kept = arrived().length - over().length;
  return { lane, way, calls, apartMs, withWaitsMs, workedOnMs, endedMs, kept, outcomes };
}

/** How far apart the two ends of a call's time are, less the time in which its client, then its host, waited for a core. */
function apartWithoutWaits(
  laterMs: number,
  note: Extract<Note, { what: "arrived" }>,
  call: Sent,
): number {
  const onItsWayMs = Math.max(0, note.atMs - call.atMs);
  const hostWaitedMs = Math.min(onItsWayMs, note.waitedMs - call.hostWaitedMs);
  const waitedMs = call.clientWaitedMs + hostWaitedMs;
  // Waiting can only make the server's end later.
  return laterMs > 0 ? Math.max(0, laterMs - waitedMs) : -laterMs;
}

function outcomeOf(error: unknown): string {
  if (isServingError(error)) return error.reason;
  return error instanceof Error ? error.name : String(error);
}

/** What has to hold; the ends at the client are told beside it. */
export function deadlineBars(all: readonly DeadlineFigures[]): readonly Bar[] {
  return all.flatMap(({ lane, way, calls, apartMs, workedOnMs, endedMs, kept, outcomes }) => {
    const who = `${lane}, ${way}`;
    return [
      ...(ways[way].sent
        ? [p99BelowMs(`${who}: remaining time, host and client apart`, APART_MS, apartMs)]
        : []),
      p99BelowMs(`${who}: work beyond the client's time`, WORKED_ON_MS, workedOnMs),
      p99BelowMs(`${who}: the call itself beyond its time`, WORKED_ON_MS, endedMs),
      never(`${who}: work that went on`, kept, workedOnMs.length + kept),
      never(`${who}: other ends`, outcomes.beyond(expected), calls),
    ];
  });
}
