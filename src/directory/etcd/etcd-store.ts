import type { Endpoint } from "../../core/endpoint.js";
import { addressText } from "../../core/instance.js";
import type { Clock, Logger, Random } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";
import { createEtcdClient, type EtcdClient } from "../../etcd/etcd-client.js";
import { type PrefixWatch, watchPrefix } from "../../etcd/prefix-watch.js";
import type { ClientTls } from "../../transport/transport.js";
import type { UpstreamDifference, UpstreamList } from "../../wire/upstream.js";
import type {
  Lease,
  Registration,
  TrafficSetting,
  WeightSetting,
} from "../../wire/upstream-registration.js";
import { createServiceTable, type ServiceTable } from "../service-table.js";
import { weightOutcome } from "../setting-outcome.js";
import type { DirectoryStore, WeightOutcome } from "../store.js";
import { type TableBounds, tableBounds } from "../table-bounds.js";
import { createEtcdCalls } from "./etcd-calls.js";
import type { EtcdWriting } from "./etcd-change.js";
import { endInEtcd, registerInEtcd, renewInEtcd } from "./etcd-leases.js";
import { EtcdMirror } from "./etcd-mirror.js";
import type { EtcdRegistration } from "./etcd-registration.js";
import { setTrafficInEtcd, setWeightInEtcd } from "./etcd-set.js";

/** What a store over etcd is made of. */
export interface EtcdStoreOptions {
  /** Any of them will do. */
  readonly members: readonly Endpoint[];
  /** Begins all keys of the directory; ends with a slash. */
  readonly prefix: string;
  readonly tls: ClientTls | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends the opening. */
  readonly signal?: AbortSignal | undefined;
  readonly bounds?: TableBounds;
}

/** etcd may be starting too. */
const FIRST_READING_MS = 10_000;

/**
 * Opens a store over etcd, which any number of directories share: reading is from memory, which a watch keeps as etcd has it;
 * writing is transactions, acknowledged when etcd has committed them.
 *
 * @throws HostError `STORE_FAILED` when etcd cannot be read within 10 s; the signal's reason when that is aborted before.
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<DirectoryStore> {
  const { members, prefix, tls, clock, random, logger, signal, bounds = tableBounds } = options;
  const client = createEtcdClient({ members, tls, clock, random });
  const table = createServiceTable<EtcdRegistration>({ bounds, settled: false });
  const mirror = new EtcdMirror({ prefix, table, clock, logger });
  const watch = watchPrefix(prefix, { client, clock, random }, mirror);
  const calls = createEtcdCalls(client, logger);
  const store = new EtcdStore({ prefix, calls, mirror, table, bounds }, client, watch);
  await mirror.until(() => mirror.synced, FIRST_READING_MS, signal);
  if (mirror.synced) return store;
  await store.close();
  signal?.throwIfAborted();
  const names = members.map(({ host, port }) => addressText(host, port)).join(", ");
  const reason = mirror.away?.message ?? "no answer";
  throw servingError(
    "STORE_FAILED",
    `etcd at ${names} could not be read within ${FIRST_READING_MS / 1_000} s: ${reason}`,
  );
}

class EtcdStore implements DirectoryStore {
  readonly #writing: EtcdWriting;
  readonly #table: ServiceTable<EtcdRegistration>;
  readonly #client: EtcdClient;
  readonly #watch: PrefixWatch;

  constructor(writing: EtcdWriting, client: EtcdClient, watch: PrefixWatch) {
    this.#writing = writing;
    this.#table = writing.table;
    this.#client = client;
    this.#watch = watch;
  }

  services(): readonly string[] {
    return this.#table.services();
  }

  list(service: string): UpstreamList {
    return this.#table.list(service);
  }

  difference(service: string, since: string): UpstreamDifference | undefined {
    return this.#table.difference(service, since);
  }

  register(registration: Registration): Promise<Lease> {
    return registerInEtcd(this.#writing, registration);
  }

  keepAlive(leaseId: string): Promise<Lease> {
    return renewInEtcd(this.#writing, leaseId);
  }

  deregister(leaseId: string): Promise<void> {
    return endInEtcd(this.#writing, leaseId);
  }

  async setWeight(setting: WeightSetting): Promise<WeightOutcome> {
    await setWeightInEtcd(this.#writing, setting);
    return weightOutcome(this.#table, setting);
  }

  async setTraffic(setting: TrafficSetting): Promise<string> {
    await setTrafficInEtcd(this.#writing, setting);
    return this.#table.list(setting.group).version;
  }

  onChange(listener: (service: string) => void): () => void {
    return this.#table.onChange(listener);
  }

  async close(): Promise<void> {
    this.#watch.close();
    this.#writing.mirror.close();
    this.#client.close();
    this.#table.close();
  }
}
