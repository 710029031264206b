import { setTimeout as wait } from "node:timers/promises";
import { createClient, openChannel, type ServiceChannel } from "inferwire/client";
import { startDirectory } from "inferwire/directory";
import type { HostOptions } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { isAlive } from "../../src/cli/chaos/processes.js";
import { type Bar, Counts, never } from "../../src/cli/chaos/report.js";
import { keepRate, pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { inPieces, type Order, orderTo } from "./order.js";
import { ToyHost } from "./toy-host.js";

/** How often all hosts are restarted, one after the other. */
export interface RestartsSize {
  readonly rounds: number;
  /** Calls a second, all the time. */
  readonly perSecond: number;
}

export const restartsSizes: { readonly full: RestartsSize; readonly small: RestartsSize } = {
  full: { rounds: 100, perSecond: 150 },
  small: { rounds: 3, perSecond: 100 },
};

/** What became of the calls. */
export interface RestartsFigures {
  readonly restarts: number;
  readonly calls: number;
  readonly outcomes: Counts;
  /** Calls that needed more than one attempt. */
  readonly repeated: number;
  /** Hosts that did not end with exit code 0. */
  readonly badExits: number;
  /** Processes of hosts that had stopped, and were still there. */
  readonly leftBehind: number;
}

/** One host of each kind of lane. */
const lanes: Readonly<Record<string, HostOptions>> = {
  "toy-a": {},
  "toy-b": { lane: "thread", workerThreads: 2 },
  "toy-c": { workerProcesses: 2, callsPerLane: 4 },
};

const LONGEST_WORK_MS = 20;
const PIECES_PART = 0.1;
const LIST_TIMEOUT_MS = 20_000;

/** Restarts three hosts behind a directory in turn, again and again, while calls that must not be repeated go on. */
export async function runRestarts(
  size: RestartsSize,
  { random, print }: ProofPorts,
): Promise<RestartsFigures> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const directory = await startDirectory({ endpoint: "127.0.0.1:0", logger: silent });
  const address = `127.0.0.1:${directory.address.port}`;
  const start = (name: string): Promise<ToyHost> =>
    ToyHost.start({
      ...lanes[name],
      name,
      service: "toy",
      directory: address,
      maxQueueLength: 1_000,
      leaseTtlMs: 3_000,
    });
  const names = Object.keys(lanes);
  const hosts = new Map<string, ToyHost>();
  const channel = openChannel({ target: `directory://${address}/toy` });
  const counted = { restarts: 0, badExits: 0, leftBehind: 0 };
  try {
    for (const name of names) hosts.set(name, await start(name));
    await listed(channel, [...hosts.values()]);
    let over = false;
    const load = startLoad(channel, size.perSecond, random, () => !over);
    for (let round = 1; round <= size.rounds; round++) {
      for (const name of names) {
        const host = hosts.get(name);
        if (host === undefined) continue;
        await wait(random() * 100);
        await restarted(host, counted);
        hosts.set(name, await start(name));
        await listed(channel, [...hosts.values()]);
      }
      if (round % 10 === 0) print(`  ${round} rounds, ${load.outcomes}`);
    }
    over = true;
    await load.ended;
    print(`  ${counted.restarts} restarts, ${load.outcomes}; ${load.repeated()} tried again`);
    return {
      ...counted,
      calls: load.outcomes.total,
      outcomes: load.outcomes,
      repeated: load.repeated(),
    };
  } finally {
    await channel.close();
    for (const host of hosts.values()) {
      await host.stop();
      host[Symbol.dispose]();
    }
    await directory.close();
  }
}

async function restarted(
  host: ToyHost,
  counted: { restarts: number; badExits: number; leftBehind: number },
): Promise<void> {
  const pids = host.lanePids();
  if ((await host.stop()) !== 0) counted.badExits++;
  counted.leftBehind += pids.filter(isAlive).length;
  counted.restarts++;
  host[Symbol.dispose]();
}

/** Waits until the client knows these hosts and no others. */
async function listed(channel: ServiceChannel, hosts: readonly ToyHost[]): Promise<void> {
  await channel.ready();
  const wanted = hosts.map((host) => host.port);
  const known = (): boolean => {
    const ports = channel.snapshot().instances.map((instance) => instance.port);
    return ports.length === wanted.length && wanted.every((port) => ports.includes(port));
  };
  if (await pace.until(known, LIST_TIMEOUT_MS)) return;
  throw new Error("the client's list did not become what it should");
}

interface Load {
  readonly outcomes: Counts;
  repeated(): number;
  readonly ended: Promise<void>;
}

function startLoad(
  channel: ServiceChannel,
  perSecond: number,
  random: () => number,
  more: () => boolean,
): Load {
  const client = createClient(PredictServiceDefinition, { channel });
  const outcomes = new Counts();
  let repeated = 0;
  const calls = new Set<Promise<void>>();
  const make = async (order: Order): Promise<void> => {
    const data = Buffer.from(JSON.stringify(order));
    const onReport = ({ attempts }: { readonly attempts: readonly unknown[] }): void => {
      if (attempts.length > 1) repeated++;
    };
    try {
      if (inPieces(order)) for await (const _ of client.predictStream({ data }, { onReport }));
      else await client.predict({ data }, { onReport });
      outcomes.add("OK");
    } catch (error) {
      outcomes.add(String(error));
    }
  };
  const rate = keepRate(perSecond, more, () => {
    const deed = random() < PIECES_PART ? "pieces" : "wait";
    const call = make(orderTo(deed, random() * LONGEST_WORK_MS));
    calls.add(call);
    void call.then(() => calls.delete(call));
  });
  return {
    outcomes,
    repeated: () => repeated,
    ended: rate.then(async () => {
      await Promise.all(calls);
    }),
  };
}

/** What has to hold. */
export function restartsBars(f: RestartsFigures): readonly Bar[] {
  return [
    never(`failed calls over ${f.restarts} restarts`, f.outcomes.beyond(["OK"]), f.calls),
    never("hosts that did not end with 0", f.badExits, f.restarts),
    never("processes left behind", f.leftBehind),
  ];
}
