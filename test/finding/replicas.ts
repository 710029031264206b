import { setTimeout as wait } from "node:timers/promises";
import { openChannel } from "inferwire/client";
import { atMostMs, type Bar, type Counts, never } from "../../src/cli/chaos/report.js";
import { createDirectoryClient, type DirectoryClient } from "../support/directory-client.js";
import { startEtcd } from "../support/etcd-server.js";
import { freePort } from "../support/free-port.js";
import { pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { CallLoop } from "./call-loop.js";
import { type ChildProgram, startChild } from "./child-program.js";

/** How long two directories over one etcd are killed in turn. */
export interface ReplicasSize {
  readonly durationMs: number;
  /** One of the two directories is killed so often, and one of the hosts. */
  readonly killEveryMs: number;
  /** A host gives a directory a sixth of it to answer, which machines that are very busy need. */
  readonly leaseTtlMs: number;
}

export const replicasSizes: { readonly full: ReplicasSize; readonly small: ReplicasSize } = {
  full: { durationMs: 120_000, killEveryMs: 5_000, leaseTtlMs: 5_000 },
  small: { durationMs: 9_000, killEveryMs: 3_000, leaseTtlMs: 5_000 },
};

/** What came of it. */
export interface ReplicasFigures {
  /** Directories that were killed. */
  readonly kills: number;
  readonly leaseTtlMs: number;
  readonly outcomes: Counts;
  /** Lists that were read, from every directory that lived. */
  readonly lists: number;
  /** Lists that did not name a host that lived, and had been listed. */
  readonly lost: number;
  /** Lists that said that they were stale, though etcd was there all the time. */
  readonly stale: number;
  /** For each host that was killed and each directory: how long it was listed beyond its lease after its death. */
  readonly beyondLeaseMs: readonly number[];
}

const SERVICE = "svc";
const HOSTS = 4;
const CALLS_PER_SECOND = 100;
const LOOK_EVERY_MS = 20;

/** etcd looks for leases that have ended so often. */
const ETCD_LOOKS_EVERY_MS = 500;

/** What one directory has heard of, another one may hear of a moment later. */
const HEARD_MS = 500;

const START_TIMEOUT_MS = 30_000;

interface Host {
  readonly name: string;
  readonly program: ChildProgram;
  /** When it was on a list for the first time. */
  listedMs?: number;
  diedMs?: number;
  /** By directory: when it was on its list for the last time after its death. */
  readonly lastMs: Map<Replica, number>;
}

/** Kills directories over one etcd in turn, and hosts, while a client calls and everybody looks at the lists. */
export async function runReplicas(
  { durationMs, killEveryMs, leaseTtlMs }: ReplicasSize,
  { random, print }: ProofPorts,
): Promise<ReplicasFigures> {
  await using etcd = await startEtcd();
  const store = `etcd://${etcd.address}/proof`;
  const looks = new Looks();
  const replicas = await Promise.all([Replica.start(store, looks), Replica.start(store, looks)]);
  const directory = replicas.map(({ address }) => address).join();
  let started = 0;
  const startHost = async (): Promise<void> => {
    const name = `host${started++}`;
    const options = {
      service: SERVICE,
      directory,
      name,
      leaseTtlMs,
      logLevel: "info",
    };
    const program = await startChild("host.mjs", options, "registered");
    looks.hosts.push({ name, program, lastMs: new Map() });
  };
  try {
    await Promise.all(Array.from({ length: HOSTS }, startHost));
    await pace.until(
      () => looks.hosts.every((host) => host.listedMs !== undefined),
      START_TIMEOUT_MS,
    );
    await using channel = openChannel({ target: `directory://${directory}/${SERVICE}` });
    await channel.ready();
    // A host that is killed takes those with it that it has begun.
    const load = new CallLoop(channel, CALLS_PER_SECOND, true);
    let kills = 0;
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs) {
      const nextMs = performance.now() + killEveryMs;
      const victim = replicas[kills % 2];
      kills += 1;
      await victim?.kill();
      await wait(random() * 500);
      const living = looks.hosts.filter(({ diedMs }) => diedMs === undefined);
      const host = living[Math.floor(random() * living.length)];
      if (host !== undefined) {
        host.diedMs = performance.now();
        await host.program.kill();
      }
      await Promise.all([victim?.start(), startHost()]);
      await wait(Math.max(0, nextMs - performance.now()));
      print(`  ${kills} directories killed, ${load.outcomes}, ${looks.lists} lists`);
    }
    // The last ones that died are listed for the rest of their lease.
    await wait(leaseTtlMs + 4 * ETCD_LOOKS_EVERY_MS);
    await load.stop();
    const beyondLeaseMs = looks.hosts.flatMap(({ diedMs = 0, lastMs }) =>
      [...lastMs.values()].map((ms) => ms - diedMs - leaseTtlMs),
    );
    const { lists, lost, stale } = looks;
    return { kills, leaseTtlMs, outcomes: load.outcomes, lists, lost, stale, beyondLeaseMs };
  } finally {
    for (const replica of replicas) await replica.kill();
    for (const { program } of looks.hosts) await program.kill();
  }
}

/** What has been seen on the lists. */
class Looks {
  readonly hosts: Host[] = [];
  lists = 0;
  lost = 0;
  stale = 0;

  take(replica: Replica, beganMs: number, names: ReadonlySet<string>, stale: boolean): void {
    this.lists += 1;
    if (stale) this.stale += 1;
    for (const host of this.hosts) {
      const { name, listedMs, diedMs, lastMs } = host;
      if (names.has(name)) {
        host.listedMs ??= beganMs;
        if (diedMs !== undefined && beganMs > diedMs) lastMs.set(replica, beganMs);
      } else if (diedMs === undefined && listedMs !== undefined && beganMs > listedMs + HEARD_MS) {
        this.lost += 1;
      }
    }
  }
}

/** A directory that is killed and started again at the same port, and looked at as long as it lives. */
class Replica {
  readonly address: string;
  readonly #port: number;
  readonly #store: string;
  readonly #looks: Looks;
  #program: ChildProgram | undefined;
  #client: DirectoryClient | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(port: number, store: string, looks: Looks) {
    this.address = `127.0.0.1:${port}`;
    this.#port = port;
    this.#store = store;
    this.#looks = looks;
  }

  static async start(store: string, looks: Looks): Promise<Replica> {
    const replica = new Replica(await freePort(), store, looks);
    await replica.start();
    return replica;
  }

  async start(): Promise<void> {
    const options = { endpoint: this.address, store: this.#store };
    this.#program = await startChild("directory.mjs", options, "directory started");
    const client = createDirectoryClient(this.#port);
    this.#client = client;
    this.#looking = this.#look(client);
  }

  async kill(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await this.#program?.kill();
    await this.#looking;
    client?.close();
  }

  async #look({ client }: DirectoryClient): Promise<void> {
    for (; this.#client?.client === client; await wait(LOOK_EVERY_MS)) {
      const beganMs = performance.now();
      try {
        const { instances, stale } = await client.listUpstreams({ service: SERVICE });
        const names = new Set(instances.map(({ name }) => name));
        this.#looks.take(this, beganMs, names, stale);
      } catch {
        // Killed, or nobody has registered yet.
      }
    }
  }
}

/** What has to hold. */
export function replicasBars(f: ReplicasFigures): readonly Bar[] {
  return [
    never(
      `failed calls while ${f.kills} directories were killed`,
      f.outcomes.beyond(["OK"]),
      f.outcomes.total,
    ),
    never("registrations lost: lists without a host that lives", f.lost, f.lists),
    never("lists said to be stale, though etcd was there", f.stale, f.lists),
    atMostMs(
      `listed after death, beyond the lease of ${f.leaseTtlMs} ms (etcd looks every ${ETCD_LOOKS_EVERY_MS} ms)`,
      ETCD_LOOKS_EVERY_MS,
      f.beyondLeaseMs,
    ),
  ];
}
