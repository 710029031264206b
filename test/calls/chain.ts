import { isServingError } from "inferwire";
import { createClient, openChannel } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { type Bar, Counts, never } from "../../src/cli/chaos/report.js";
import { p99BelowMs } from "../finding/bars.js";
import { keepBusy, pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { machineMs, type Note, NotingHost, orderOf } from "./noting-host.js";

/** First calls of each kind. */
export interface ChainSize {
  readonly calls: number;
}

export const chainSizes: { readonly full: ChainSize; readonly small: ChainSize } = {
  full: { calls: 2_000 },
  small: { calls: 100 },
};

/** What became of calls through three services, of which the last one never answers. */
export interface ChainFigures {
  /** First calls that ran out of time. */
  readonly timed: number;
  /** First calls that their caller gave up. */
  readonly cancelled: number;
  /** From the first call's deadline to the end of each call of its chain; below 0 is before it. */
  readonly beyondMs: readonly number[];
  /** From that deadline to the end of the work of the last service. */
  readonly workedOnMs: readonly number[];
  /** From the moment in which the caller gave up to the end of that work. */
  readonly workedOnAfterCancelMs: readonly number[];
  /** Calls that had no less time than the one for which they were made, each seen as it arrived. */
  readonly notLess: number;
  readonly hops: number;
  /** Calls of a chain that arrived and were never ended. */
  readonly kept: number;
  readonly outcomes: Counts;
}

/** The time that a first call had, and when it was over. */
interface Timed {
  readonly timeoutMs: number;
  readonly deadlineMs: number;
}

const PLACES = { workerThreads: 16 };
const CALLS_AT_A_TIME = 4;
const SHORTEST_MS = 60;
const LONGEST_MS = 500;
/** Of those that are given up, long after the moment in which they are. */
const PATIENT_MS = 5_000;
const SETTLE_MS = 3_000;
const WARMING_CALLS = 20;
/** How late the machine may be in telling of an end: its timers, and three processes that have to be run. */
const SLACK_MS = 5;
const WORKED_ON_MS = 20;

/** Has three services call each other, again and again, with deadlines of all lengths; then with callers that leave. */
export async function runChain(
  size: ChainSize,
  { random, print }: ProofPorts,
): Promise<ChainFigures> {
  // The last one first: it asks nobody.
  await using third = await NotingHost.start(PLACES);
  await using second = await NotingHost.start(PLACES, third.key);
  await using first = await NotingHost.start(PLACES, second.key);
  const hosts = [first, second, third];
  await using channel = openChannel({ target: first.key });
  const client = createClient(PredictServiceDefinition, { channel });
  await channel.ready();
  let lastId = 0;
  const outcomes = new Counts();
  const timed = new Map<number, Timed>();
  /** When they were given up. */
  const cancelled = new Map<number, number>();
  const beyondMs: number[] = [];
  const make = async (options: { timeoutMs: number; signal?: AbortSignal }): Promise<void> => {
    try {
      await client.predict({ data: orderOf("next", lastId) }, options);
      outcomes.add("OK");
    } catch (error) {
      outcomes.add(isServingError(error) ? error.reason : (error as Error).name);
    }
  };
  const warming = Math.min(size.calls, WARMING_CALLS);
  for (let n = 0; n < warming; n++) await make({ timeoutMs: SHORTEST_MS });
  await keepBusy(
    CALLS_AT_A_TIME,
    () => timed.size < size.calls,
    async () => {
      const timeoutMs = Math.round(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
      const deadlineMs = machineMs() + timeoutMs;
      timed.set(++lastId, { timeoutMs, deadlineMs });
      await make({ timeoutMs });
      beyondMs.push(machineMs() - deadlineMs);
    },
  );
  print(`  out of time: ${outcomes}`);
  await keepBusy(
    CALLS_AT_A_TIME,
    () => cancelled.size < size.calls,
    async () => {
      const id = ++lastId;
      const leaving = new AbortController();
      cancelled.set(id, Number.POSITIVE_INFINITY);
      const call = make({ timeoutMs: PATIENT_MS, signal: leaving.signal });
      await pace.wait(SHORTEST_MS + random() * SHORTEST_MS);
      cancelled.set(id, machineMs());
      leaving.abort();
      await call;
    },
  );
  print(`  and given up: ${outcomes}`);
  const notes = (): readonly (readonly Note[])[] =>
    hosts.map((host) => host.notes().filter(({ id }) => timed.has(id) || cancelled.has(id)));
  const count = (what: Note["what"]): number =>
    notes()
      .flat()
      .filter((n) => n.what === what).length;
  await pace.until(() => count("given up") >= count("arrived"), SETTLE_MS);
  const all = notes();
  for (const note of all.flat()) {
    const deadlineMs = timed.get(note.id)?.deadlineMs;
    if (note.what === "ended" && deadlineMs !== undefined) beyondMs.push(note.atMs - deadlineMs);
  }
  const last = (all.at(-1) ?? []).filter(({ what }) => what === "given up");
  const since = (momentOf: (id: number) => number | undefined): readonly number[] =>
    last.flatMap(({ id, atMs }) => {
      const moment = momentOf(id);
      return moment === undefined ? [] : [atMs - moment];
    });
  return {
    timed: timed.size,
    cancelled: cancelled.size,
    beyondMs,
    workedOnMs: since((id) => timed.get(id)?.deadlineMs),
    workedOnAfterCancelMs: since((id) => cancelled.get(id)),
    ...comparedHops(all, timed),
    kept: count("arrived") - count("given up"),
    outcomes,
  };
}

/** Compares what time was left to a chain's calls as each service saw it, with the first caller's own in front. */
function comparedHops(
  notes: readonly (readonly Note[])[],
  timed: ReadonlyMap<number, Timed>,
): Pick<ChainFigures, "hops" | "notLess"> {
  let [hops, notLess] = [0, 0];
  for (const [id, { timeoutMs }] of timed) {
    let beforeMs = timeoutMs;
    for (const ofHost of notes) {
      const note = ofHost.find((each) => each.id === id && each.what === "arrived");
      if (note?.what !== "arrived") break;
      const leftMs = note.leftMs ?? Number.POSITIVE_INFINITY;
      hops++;
      if (leftMs >= beforeMs) notLess++;
      beforeMs = leftMs;
    }
  }
  return { hops, notLess };
}

/** What has to hold. */
export function chainBars(f: ChainFigures): readonly Bar[] {
  const late = f.beyondMs.filter((ms) => ms > SLACK_MS).length;
  return [
    never(
      `calls of a chain that ended over ${SLACK_MS} ms after the first deadline`,
      late,
      f.beyondMs.length,
    ),
    p99BelowMs("end of a chain's calls, after the first deadline", SLACK_MS, f.beyondMs),
    never("calls that had no less time than the one before", f.notLess, f.hops),
    p99BelowMs("work of the last service, after the first deadline", WORKED_ON_MS, f.workedOnMs),
    p99BelowMs(
      "work of the last service, after the first caller left",
      WORKED_ON_MS,
      f.workedOnAfterCancelMs,
    ),
    never("work that went on", f.kept),
    never(
      "other ends",
      f.outcomes.beyond(["DEADLINE_EXCEEDED", "AbortError", "CANCELLED"]),
      f.outcomes.total,
    ),
  ];
}
