import { openChannel, type ServiceChannel } from "inferwire/client";
import { startDirectory } from "inferwire/directory";
import { type Bar, type Counts, never } from "../../src/cli/chaos/report.js";
import { silentLogger } from "../../src/core/ports.js";
import { startEtcd } from "../support/etcd-server.js";
import { pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { CallLoop } from "./call-loop.js";
import { startEchoHosts } from "./echo-hosts.js";

/** How often etcd is stopped, and how long leases are. */
export interface LeasesSize {
  readonly stops: number;
  readonly leaseTtlMs: number;
}

export const leasesSizes: { readonly full: LeasesSize; readonly small: LeasesSize } = {
  full: { stops: 10, leaseTtlMs: 5_000 },
  small: { stops: 2, leaseTtlMs: 3_000 },
};

/** What a client saw by one kind of target. */
export interface LeasesFigures {
  readonly scheme: string;
  readonly stops: number;
  readonly outcomes: Counts;
  /** Looks at a list that lacked a host, though all of them lived all the time. */
  readonly gaps: number;
  readonly looks: number;
  /** Stops after which the list did not become a fresh one again. */
  readonly unseen: number;
}

const SERVICE = "leased";
const HOSTS = 2;
const PER_SECOND = 50;
const LOOK_EVERY_MS = 5;
const GIVE_UP_MS = 30_000;

/**
 * Stops etcd by SIGSTOP for longer than a lease, under hosts that register through two directories over it and clients that call
 * without a pause: etcd ends all leases when it goes on, before anybody could renew them.
 */
export async function runLeases(
  { stops, leaseTtlMs }: LeasesSize,
  { random, print }: ProofPorts,
): Promise<readonly LeasesFigures[]> {
  await using etcd = await startEtcd();
  const store = `etcd://${etcd.address}/leases`;
  const options = { endpoint: "127.0.0.1:0", store, logger: silentLogger };
  await using a = await startDirectory(options);
  await using b = await startDirectory(options);
  const directory = [a, b].map(({ address: { port } }) => `127.0.0.1:${port}`).join();
  await using hosts = await startEchoHosts(HOSTS, (n) => {
    return { service: SERVICE, directory, name: `host${n}`, leaseTtlMs };
  });
  await using byDirectory = openChannel({ target: `directory://${directory}/${SERVICE}` });
  await using byEtcd = openChannel({ target: `${store}/${SERVICE}` });
  const ways = [new Way("directory", byDirectory, hosts.keys), new Way("etcd", byEtcd, hosts.keys)];
  const untilFresh = (way: Way): Promise<boolean> => pace.until(() => way.fresh, GIVE_UP_MS);
  for (const way of ways) {
    if (!(await untilFresh(way))) throw new Error(`the hosts are not listed by ${way.scheme}`);
    way.begin();
  }
  for (let stop = 1; stop <= stops; stop++) {
    // At any moment between two renewals.
    await pace.wait(random() * leaseTtlMs);
    etcd.signal("SIGSTOP");
    try {
      await pace.wait(leaseTtlMs * (1.5 + random() / 2));
    } finally {
      etcd.signal("SIGCONT");
    }
    // Leases are ended, and what was kept for a while is given up, within this time.
    await pace.wait(2 * leaseTtlMs);
    for (const way of ways) way.unseen += Number(!(await untilFresh(way)));
    print(`  ${stop} of ${stops} stops, ${ways.map(({ calls }) => calls).join("; ")}`);
  }
  await Promise.all(ways.map((way) => way.end()));
  return ways.map(({ scheme, calls, gaps, looks, unseen }) => {
    return { scheme, stops, outcomes: calls, gaps, looks, unseen };
  });
}

/** A client that calls and looks at its list all the time. */
class Way {
  readonly scheme: string;
  readonly #channel: ServiceChannel;
  readonly #keys: readonly string[];
  #loop: CallLoop | undefined;
  #timer: NodeJS.Timeout | undefined;
  gaps = 0;
  looks = 0;
  unseen = 0;

  constructor(scheme: string, channel: ServiceChannel, keys: readonly string[]) {
    this.scheme = scheme;
    this.#channel = channel;
    this.#keys = keys;
    // A list that has not come yet is asked for again by looking at it.
    channel.ready({ timeoutMs: GIVE_UP_MS }).catch(() => {});
  }

  get fresh(): boolean {
    return this.#whole && !this.#channel.snapshot().stale;
  }

  get calls(): Counts {
    if (this.#loop === undefined) throw new Error("it has not begun");
    return this.#loop.outcomes;
  }

  get #whole(): boolean {
    const listed = this.#channel.snapshot().instances.map(({ key }) => key);
    return this.#keys.every((key) => listed.includes(key));
  }

  begin(): void {
    this.#loop = new CallLoop(this.#channel, PER_SECOND);
    this.#timer = setInterval(() => {
      this.looks += 1;
      this.gaps += Number(!this.#whole);
    }, LOOK_EVERY_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#loop?.stop();
  }
}

/** What has to hold. */
export function leasesBars(figures: readonly LeasesFigures[]): readonly Bar[] {
  return figures.flatMap(({ scheme, stops, outcomes, gaps, looks, unseen }) => [
    never(
      `${scheme}: failed calls over ${stops} stops longer than a lease`,
      outcomes.beyond(["OK"]),
      outcomes.total,
    ),
    never(`${scheme}: looks at a list without a host that lives`, gaps, looks),
    never(`${scheme}: stops after which the list did not become fresh`, unseen, stops),
  ]);
}
