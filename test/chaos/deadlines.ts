import type { HostOptions } from "inferwire/host";
import { type Bar, Counts, never } from "../../src/cli/chaos/report.js";
import { keepBusy } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { orderTo } from "./order.js";
import { ToyHost } from "./toy-host.js";
import { WireClient } from "./wire-client.js";

/** Calls in each kind of lane. */
export interface DeadlinesSize {
  readonly calls: number;
}

export const deadlinesSizes: { readonly full: DeadlinesSize; readonly small: DeadlinesSize } = {
  full: { calls: 100_000 },
  small: { calls: 5_000 },
};

/** What became of calls that were short of time, or whose callers left. */
export interface DeadlinesFigures {
  readonly lane: string;
  readonly calls: number;
  readonly starts: number;
  /** Starts that the processor found to be after the deadline. */
  readonly late: number;
  /** Starts that the processor found to be after its caller had left. */
  readonly left: number;
  readonly outcomes: Counts;
}

const lanes: Readonly<Record<"inline" | "process", HostOptions>> = {
  inline: { workerThreads: 4 },
  process: { workerProcesses: 2, callsPerLane: 4 },
};

/** Far more calls at a time than places: most wait, and many for longer than they have. */
const CALLS_AT_A_TIME = 256;
const LONGEST_DEADLINE_MS = 150;
const CANCELLED_PART = 0.3;
const LONGEST_WORK_MS = 3;

/** Outcomes that are to be expected. */
const known = ["OK", "DEADLINE_EXCEEDED", "CANCELLED"];

/** Makes calls with random deadlines, some of them given up at random moments, against a host that cannot keep up. */
export async function runDeadlines(
  lane: keyof typeof lanes,
  size: DeadlinesSize,
  { random, print }: ProofPorts,
): Promise<DeadlinesFigures> {
  using host = await ToyHost.start({ ...lanes[lane], maxQueueLength: 10_000 });
  const client = new WireClient(host.port, 4);
  const outcomes = new Counts();
  let begun = 0;
  await keepBusy(
    CALLS_AT_A_TIME,
    () => begun < size.calls,
    async () => {
      begun++;
      if (begun % 10_000 === 0) print(`  ${lane}: ${begun} calls`);
      const order = orderTo(random() < 0.5 ? "wait" : "spin", random() * LONGEST_WORK_MS);
      const call = client.call(order, { timeoutMs: 1 + random() * LONGEST_DEADLINE_MS });
      const leaves = random() < CANCELLED_PART;
      const timer = leaves
        ? setTimeout(() => call.cancel(), random() * LONGEST_DEADLINE_MS)
        : undefined;
      outcomes.add((await call.ended).outcome);
      clearTimeout(timer);
    },
  );
  client.close();
  await host.stop();
  const starts = host.starts();
  const inState = (state: string): number => starts.filter((s) => s.state === state).length;
  print(`  ${lane}: ${outcomes}; ${starts.length} starts`);
  return {
    lane,
    calls: outcomes.total,
    starts: starts.length,
    late: inState("late"),
    left: inState("left"),
    outcomes,
  };
}

/**
 * What has to hold. On a machine that has far too much to do a few starts can be late all the same: those of processes
 * that were put aside between the kit's last look at the clock and the processor's first.
 */
export function deadlinesBars(f: DeadlinesFigures): readonly Bar[] {
  return [
    never(`${f.lane}: starts after expiry`, f.late, f.starts),
    never(`${f.lane}: starts after cancel`, f.left, f.starts),
    never(`${f.lane}: calls without a known end`, f.outcomes.beyond(known), f.calls),
  ];
}
