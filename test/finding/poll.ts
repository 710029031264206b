import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openChannel } from "inferwire/client";
import { type Bar, type Counts, never } from "../../src/cli/chaos/report.js";
import { pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { easBody } from "../support/source-http-server.js";
import { p99BelowMs } from "./bars.js";
import { CallLoop } from "./call-loop.js";
import { startEchoHosts } from "./echo-hosts.js";
import { firstCallTo } from "./reroute.js";

/** How often the list changes. */
export interface PollSize {
  readonly changes: number;
}

/** How often the list changes. */
export const pollSizes: Readonly<Record<"full" | "small", PollSize>> = {
  full: { changes: 200 },
  small: { changes: 5 },
};

/** How a polled list was followed. */
export interface PollFigures {
  /** From a change of the list to the first call that went to the new instance. */
  readonly reroutedMs: readonly number[];
  /** Changes that no call ever followed. */
  readonly missed: number;
  readonly outcomes: Counts;
}

const POLL_INTERVAL_MS = 1_000;

/** The poll interval is drawn from 80 % to 120 % of the option. */
const MOST_MS = 1.2 * POLL_INTERVAL_MS;

const PER_SECOND = 250;

/**
 * Lets a directory with EAS's JSON replace one of two instances, at random moments, while a client makes calls without a
 * break; measures how long it takes until one goes to the new instance.
 */
export async function runPoll(
  { changes }: PollSize,
  { random }: Pick<ProofPorts, "random">,
): Promise<PollFigures> {
  await using hosts = await startEchoHosts(3);
  const [stable = "", even = "", odd = ""] = hosts.keys;
  await using directory = await startDirectory();
  directory.list([stable, even]);
  await using channel = openChannel({
    target: directory.target,
    pollIntervalMs: POLL_INTERVAL_MS,
    seed: Math.floor(random() * 1_000_000),
  });
  await channel.ready();
  const loop = new CallLoop(channel, PER_SECOND);
  const reroutedMs: number[] = [];
  let missed = 0;
  try {
    for (let change = 0; change < changes; change++) {
      await pace.wait(random() * 2 * POLL_INTERVAL_MS);
      const next = change % 2 === 0 ? odd : even;
      directory.list([stable, next]);
      const ms = await firstCallTo(loop, next);
      if (ms === undefined) missed++;
      else reroutedMs.push(ms);
    }
  } finally {
    await loop.stop();
  }
  return { reroutedMs, missed, outcomes: loop.outcomes };
}

/** What must hold. */
export function pollBars({ reroutedMs, missed, outcomes }: PollFigures): readonly Bar[] {
  const what = `EAS JSON polled every ${POLL_INTERVAL_MS} ms: to the first re-routed call`;
  return [
    p99BelowMs(what, MOST_MS, reroutedMs),
    never("EAS JSON: changes that no call followed", missed),
    never("EAS JSON: failed calls", outcomes.beyond(["OK"]), outcomes.total),
  ];
}

interface JsonDirectory extends AsyncDisposable {
  readonly target: string;
  list(keys: readonly string[]): void;
}

async function startDirectory(): Promise<JsonDirectory> {
  let body = "";
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    target: `http://127.0.0.1:${port}/upstreams/echo`,
    list(keys) {
      const ports = keys.map((key) => Number(key.slice(key.lastIndexOf(":") + 1)));
      body = easBody(ports.map((each) => ({ ip: "127.0.0.1", port: each, weight: 100 })));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
