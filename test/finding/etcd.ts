import { openChannel, type ServiceChannel } from "inferwire/client";
import { atMostMs, type Bar, type Counts, never } from "../../src/cli/chaos/report.js";
import { type EtcdApi, etcdApi } from "../support/etcd-api.js";
import { type EtcdServer, startEtcd } from "../support/etcd-server.js";
import { spread } from "../support/figures.js";
import { pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { startTcpGate, type TcpGate } from "../support/tcp-gate.js";
import { CallLoop } from "./call-loop.js";
import { startEchoHosts } from "./echo-hosts.js";
import { EtcdService } from "./registry.js";
import { type Truth, watchStaleness } from "./staleness.js";

/** How often each fault is done, and how long etcd is away then. */
export interface EtcdSize {
  readonly rounds: number;
  readonly longestAwayMs: number;
}

export const etcdSizes: { readonly full: EtcdSize; readonly small: EtcdSize } = {
  full: { rounds: 15, longestAwayMs: 8_000 },
  small: { rounds: 1, longestAwayMs: 1_500 },
};

/** What is done to an etcd while a client calls without a pause; each entry takes it away, and brings it back. */
const faults = {
  "killed and started again": {
    leave: ({ etcd }) => etcd.kill(),
    async back({ etcd, list }) {
      await etcd.start();
      await list.swap();
    },
  },
  "out of reach and compacted": {
    async leave({ gate }) {
      gate.shut();
    },
    async back({ gate, list }) {
      await list.swap();
      await list.forget();
      gate.open();
    },
  },
  "stopped by SIGSTOP": {
    async leave({ etcd }) {
      etcd.signal("SIGSTOP");
    },
    async back({ etcd, list }) {
      etcd.signal("SIGCONT");
      await list.swap();
    },
  },
  "behind a connection that is half-open": {
    async leave({ gate }) {
      gate.mute();
    },
    async back({ gate, list }) {
      await list.swap();
      gate.open();
    },
  },
} satisfies Readonly<Record<string, Fault>>;

/** All faults there are. */
export const etcdFaults: readonly string[] = Object.keys(faults);

interface Fault {
  leave(scene: Scene): Promise<void>;
  /** Makes a change that the client cannot have heard of before etcd was back. */
  back(scene: Scene): Promise<void>;
}

interface Scene {
  readonly etcd: EtcdServer;
  readonly gate: TcpGate;
  readonly list: SwappedList;
}

/** What the faults led to; times in milliseconds. */
export interface EtcdFigures {
  /** How often etcd was away. */
  readonly faults: number;
  readonly outcomes: Counts;
  /** From the moment that etcd was away until the list was said to be stale. */
  readonly toldMs: readonly number[];
  /** How far the age that was told was from the true one, at each look. */
  readonly ageErrorsMs: readonly number[];
  /** Looks at which the list was said not to be stale, though it lacked a change of more than a second before. */
  readonly lies: number;
  /** Changes that were never seen. */
  readonly unseen: number;
}

const PER_SECOND = 100;
const SHORTEST_AWAY_MS = 1_200;
const WELL_MS = 800;
const GIVE_UP_MS = 30_000;
const MOST_STALENESS_MS = 1_000;

/** Takes etcd away from a client that calls without a pause, in every way, and brings it back with another list. */
export async function runEtcd(
  { rounds, longestAwayMs }: EtcdSize,
  { random, print }: ProofPorts,
): Promise<EtcdFigures> {
  await using etcd = await startEtcd();
  await using gate = await startTcpGate(etcd.port);
  await using hosts = await startEchoHosts(3);
  const list = new SwappedList(etcdApi(etcd.address), hosts.keys);
  await list.begin();
  const truth: Truth = { awaySinceMs: undefined, returning: false, keys: () => list.keys };
  await using channel = openChannel({ target: `etcd://${gate.address}/${EtcdService.path}` });
  await channel.ready();
  const loop = new CallLoop(channel, PER_SECOND);
  const watched = watchStaleness(channel, truth);
  const backMs = new Map(etcdFaults.map((name) => [name, [] as number[]]));
  let unseen = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const [name, { leave, back }] of Object.entries<Fault>(faults)) {
        const scene = { etcd, gate, list };
        await pace.wait(WELL_MS * (0.5 + random()));
        truth.awaySinceMs = pace.now();
        await leave(scene);
        await pace.wait(SHORTEST_AWAY_MS + random() * (longestAwayMs - SHORTEST_AWAY_MS));
        truth.returning = true;
        await back(scene);
        const backAtMs = pace.now();
        if (await pace.until(() => isFresh(channel, list), GIVE_UP_MS)) {
          backMs.get(name)?.push(pace.now() - backAtMs);
        } else unseen++;
        truth.awaySinceMs = undefined;
        truth.returning = false;
      }
      print(`  ${round} of ${rounds} rounds, ${loop.outcomes}`);
    }
  } finally {
    watched.stop();
    await loop.stop();
  }
  const { toldMs, ageErrorsMs, lies } = watched;
  for (const [name, ms] of backMs) print(`  ${name}: seen again after ${spread(ms, 0)} ms`);
  const all = rounds * etcdFaults.length;
  return { faults: all, outcomes: loop.outcomes, toldMs, ageErrorsMs, lies, unseen };
}

/** One instance that stays, and one of two others: which one changes. */
class SwappedList {
  readonly #service: EtcdService;
  readonly #stays: string;
  #other: readonly [listed: string, not: string];

  constructor(api: EtcdApi, [stays = "", first = "", second = ""]: readonly string[]) {
    this.#service = new EtcdService(api);
    this.#stays = stays;
    this.#other = [first, second];
  }

  /** Who is listed. */
  get keys(): readonly string[] {
    return [this.#stays, this.#other[0]];
  }

  async begin(): Promise<void> {
    for (const key of this.keys) await this.#service.list(key, 100);
  }

  async swap(): Promise<void> {
    const [leaves, joins] = this.#other;
    await this.#service.list(joins, 100);
    await this.#service.drop(leaves);
    this.#other = [joins, leaves];
  }

  /** Makes all of that unknown to those who ask what has changed. */
  async forget(): Promise<void> {
    await this.#service.list(this.#stays, 100);
    await this.#service.forget();
  }
}

function isFresh(channel: ServiceChannel, list: SwappedList): boolean {
  const { stale, instances } = channel.snapshot();
  return !stale && sameKeys(instances, list.keys);
}

function sameKeys(
  instances: readonly { readonly key: string }[],
  keys: readonly string[],
): boolean {
  return instances.length === keys.length && instances.every(({ key }) => keys.includes(key));
}

/** What has to hold. */
export function etcdBars(f: EtcdFigures): readonly Bar[] {
  return [
    never(`failed calls over ${f.faults} faults`, f.outcomes.beyond(["OK"]), f.outcomes.total),
    atMostMs("away, until the list is said to be stale", MOST_STALENESS_MS, f.toldMs),
    never("times that it was away and the list not said to be stale", f.faults - f.toldMs.length),
    atMostMs("told age, from the true one", MOST_STALENESS_MS, f.ageErrorsMs),
    never("looks at a list that was fresh only by its own words", f.lies, f.ageErrorsMs.length),
    never("changes while it was away that were not seen", f.unseen, f.faults),
  ];
}
