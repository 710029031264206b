import { seen } from "../../core/options.js";
import type { CancelTimer, Clock, Logger } from "../../core/ports.js";
import { isServingError, type ServingError } from "../../core/serving-error.js";
import { createOutageHold, type OutageHold } from "../../etcd/outage-hold.js";
import type { PrefixListener } from "../../etcd/prefix-watch.js";
import type { EtcdChange, EtcdEntry } from "../../wire/etcd.js";
import { SETTLE_MS } from "../../wire/upstream.js";
import type { WeightSetting } from "../../wire/upstream-registration.js";
import { logRegistration, registrationEvent } from "../registration-event.js";
import type { ServiceTable } from "../service-table.js";
import { logTraffic, logWeight } from "../setting-outcome.js";
import { type EtcdKey, etcdKeyFromText, etcdKeyText } from "./etcd-keys.js";
import { type EtcdRegistration, registrationFromEntry } from "./etcd-registration.js";
import { sharesFromValue, weightFromValue } from "./etcd-settings.js";
import { createOutageLog, type OutageLog } from "./outage-log.js";
import { createProblemLog, type ProblemLog } from "./problem-log.js";

/** What a mirror is made of. */
export interface EtcdMirrorOptions {
  /** Ends with a slash. */
  readonly prefix: string;
  /** Is told what holds; not settled yet. */
  readonly table: ServiceTable<EtcdRegistration>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps a table as etcd has it, and tells the log what changes.
 *
 * Anybody may write below the prefix: what makes no sense is left out and said, and nothing of it is touched.
 *
 * ```
 *  registered <--- put ---.
 *      | gone             |
 *      |-- etcd was away until a moment ago, nobody said that it goes --> held: listed, table not settled
 *      v                                                                   | 15 s after etcd's return
 *  not listed <------------------------------------------------------------'
 * ```
 */
export class EtcdMirror implements PrefixListener {
  readonly #options: EtcdMirrorOptions;
  /** Revision of the last change of every key that is there. */
  readonly #revisions = new Map<string, bigint>();
  /** Keys that are left out, and why. */
  readonly #problems = new Map<string, string>();
  /** What makes sense and finds no place: it gets one when something else goes. */
  readonly #refused = new Map<string, EtcdEntry>();
  readonly #counts = new Map<EtcdKey["kind"], number>();
  /** Whether something has gone since what was refused was last tried. */
  #freed = false;
  /** Keys that are gone while their owners could not renew them, and what is still listed for them. */
  readonly #held = new Map<string, EtcdRegistration>();
  /** Keys whose owners have given them back here, and their leases. */
  readonly #leaving = new Map<string, bigint>();
  readonly #hold: OutageHold;
  readonly #outages: OutageLog;
  readonly #problemLog: ProblemLog;
  /** Just started: of who is missing it is not known yet whether nobody could renew before. */
  #young = true;
  #cancelYouth: CancelTimer = () => {};
  readonly #waiting = new Set<() => void>();
  #revision = 0n;
  #synced = false;
  #away: ServingError | undefined;

  constructor(options: EtcdMirrorOptions) {
    this.#options = options;
    const { clock, logger } = options;
    this.#outages = createOutageLog(clock, logger);
    this.#problemLog = createProblemLog(clock, logger);
    this.#hold = createOutageHold({ clock, holdMs: SETTLE_MS, onEnd: () => this.#endHold() });
  }

  /** Whether all has been read once. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Why etcd cannot be read at the moment, if so. */
  get away(): ServingError | undefined {
    return this.#away;
  }

  /** Up to this revision all is known. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Revision of the last change of a key; 0 when it is not there. */
  revisionOf(key: string): bigint {
    return this.#revisions.get(key) ?? 0n;
  }

  /** Whether etcd was away until a moment ago, so that who is gone may come back. */
  get holding(): boolean {
    return this.#hold.holding;
  }

  /** The owner of a registration gives it back: its end is no lack of a renewal. */
  leaves({ entry: { key }, lease, service, instance }: EtcdRegistration): void {
    if (this.#held.get(key)?.lease !== lease) {
      this.#leaving.set(key, lease);
      return;
    }
    this.#remove(service, instance.name);
    this.#learned(this.#revision);
  }

  /** How many keys of a kind there are. */
  count(kind: EtcdKey["kind"]): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** A service that has registered once and fits. */
  findKnown(fits: (service: string) => boolean): string | undefined {
    for (const text of this.#revisions.keys()) {
      const key = etcdKeyFromText(this.#options.prefix, text);
      if (key?.kind === "known" && fits(key.service)) return key.service;
    }
    return undefined;
  }

  /** Waits until something holds that etcd has already; for so long at most, and no longer than until the signal. */
  until(holds: () => boolean, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (holds() || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) end();
      };
      const end = (): void => {
        cancelTimer();
        signal?.removeEventListener("abort", end);
        this.#waiting.delete(look);
        resolve();
      };
      const cancelTimer = this.#options.clock.after(waitMs, end);
      signal?.addEventListener("abort", end, { once: true });
      this.#waiting.add(look);
    });
  }

  /** Ends what it waits for. */
  close(): void {
    this.#hold.close();
    this.#outages.close();
    this.#problemLog.close();
    this.#cancelYouth();
  }

  onSync(entries: readonly EtcdEntry[], revision: bigint): void {
    this.#hold.heard();
    const there = new Set(entries.map(({ key }) => key));
    for (const key of [...this.#revisions.keys()]) if (!there.has(key)) this.#drop(key);
    for (const entry of entries) this.#take(entry);
    if (!this.#synced) this.#begin(entries.length);
    this.onConfirmed();
    this.#learned(revision);
  }

  onChanges(changes: readonly EtcdChange[], revision: bigint): void {
    this.#hold.heard();
    for (const { key, entry } of changes) {
      if (entry === undefined) this.#drop(key);
      else this.#take(entry);
    }
    this.#learned(revision);
  }

  onConfirmed(): void {
    this.#hold.heard();
    this.#outages.back();
    this.#away = undefined;
    this.#options.table.setStale(false);
  }

  onError(error: ServingError): void {
    this.#outages.away(error);
    this.#away = error;
    this.#options.table.setStale(true);
  }

  #begin(keys: number): void {
    const { prefix, clock, logger } = this.#options;
    logger.info({ prefix, keys }, "etcd has been read");
    this.#synced = true;
    this.#cancelYouth = clock.after(
      SETTLE_MS,
      () => {
        this.#young = false;
        this.#settle();
      },
      { background: true },
    );
  }

  #settle(): void {
    this.#options.table.setSettled(!this.#young && this.#held.size === 0);
  }

  /** Who has not come back is gone. */
  #endHold(): void {
    for (const { service, instance } of [...this.#held.values()]) {
      this.#remove(service, instance.name);
    }
    this.#learned(this.#revision);
  }

  /** Keeps a registration listed whose key is gone, if its owner could not renew it; false when that is not so. */
  #holds(key: string, service: string, name: string): boolean {
    const registration = this.#options.table.registration(service, name);
    if (registration === undefined || !this.#hold.holding) return false;
    if (registration.lease === 0n || registration.lease === this.#leaving.get(key)) return false;
    if (this.#held.size === 0) {
      this.#options.logger.warn(
        { service, instance: name },
        `registrations ran out while etcd was away: they stay listed for ${SETTLE_MS / 1_000} s, until their hosts are back`,
      );
    }
    this.#held.set(key, registration);
    return true;
  }

  #learned(revision: bigint): void {
    this.#revision = revision;
    this.#settle();
    if (this.#freed) for (const entry of [...this.#refused.values()]) this.#take(entry);
    this.#freed = false;
    this.#problemLog.note(this.#problems);
    for (const look of [...this.#waiting]) look();
  }

  #take(entry: EtcdEntry): void {
    const key = etcdKeyFromText(this.#options.prefix, entry.key);
    if (key !== undefined && !this.#revisions.has(entry.key)) this.#count(key.kind, 1);
    this.#revisions.set(entry.key, entry.modRevision);
    this.#refused.delete(entry.key);
    const problem =
      key === undefined ? "the key is none of a directory's" : this.#apply(key, entry);
    if (problem === undefined) this.#problems.delete(entry.key);
    else this.#problems.set(entry.key, problem);
  }

  /** Takes what a key holds; says what keeps it from being taken. */
  #apply(key: EtcdKey, entry: EtcdEntry): string | undefined {
    const { table } = this.#options;
    try {
      switch (key.kind) {
        case "instance":
          return this.#register(key, entry);
        case "weight": {
          const weight = weightFromValue(entry.value);
          this.#weigh({ service: key.service, instance: key.name, weight });
          return weight === undefined ? "the value is no weight" : undefined;
        }
        case "traffic": {
          const shares = sharesFromValue(key.group, entry.value);
          if (shares === undefined) {
            this.#endGroup(key.group);
            return "the value is no traffic shares";
          }
          const setting = { group: key.group, shares };
          this.#giveWay(key.group);
          if (table.setTraffic(setting)) this.#tell((logger) => logTraffic(logger, setting));
          return undefined;
        }
        case "known":
          // The service may have become a group since.
          if (!table.list(key.service).known) table.setKnown(key.service);
          return undefined;
      }
    } catch (thrown) {
      if (!isServingError(thrown)) throw thrown;
      this.#refused.set(entry.key, entry);
      if (key.kind === "instance") this.#remove(key.service, key.name);
      return thrown.message;
    }
  }

  /** A name that is a group's and a service's, which only others can have written, is the group's at every directory. */
  #giveWay(group: string): void {
    const { table } = this.#options;
    const { shares, instances } = table.list(group);
    if (shares.size > 0 || instances.length === 0) return;
    for (const { instance, service, entry } of [...table.registrations()]) {
      if (service !== group) continue;
      const held = this.#held.has(entry.key);
      this.#remove(service, instance.name);
      if (held) continue;
      this.#refused.set(entry.key, entry);
      this.#problems.set(entry.key, `service is ${seen(group)}, which is a group`);
    }
  }

  #register(
    { service, name }: { readonly service: string; readonly name: string },
    entry: EtcdEntry,
  ): string | undefined {
    const { table } = this.#options;
    const read = registrationFromEntry(service, name, entry);
    if (read.registration === undefined) {
      this.#remove(service, name);
      return read.problem;
    }
    const { registration } = read;
    const back = this.#held.has(entry.key);
    const before = table.register(registration);
    this.#held.delete(entry.key);
    if (this.#leaving.get(entry.key) !== registration.lease) this.#leaving.delete(entry.key);
    const isBack = back && before?.holderHash === registration.holderHash;
    const event = isBack
      ? "registered again"
      : registrationEvent(before, registration, before?.lease === registration.lease);
    if (event !== undefined) this.#log(registration, event);
    return undefined;
  }

  #drop(text: string): void {
    const key = etcdKeyFromText(this.#options.prefix, text);
    if (this.#revisions.delete(text) && key !== undefined) this.#count(key.kind, -1);
    this.#problems.delete(text);
    this.#refused.delete(text);
    if (key?.kind === "instance" && !this.#holds(text, key.service, key.name)) {
      this.#leaving.delete(text);
      this.#remove(key.service, key.name);
    }
    if (key?.kind === "weight") {
      this.#weigh({ service: key.service, instance: key.name, weight: undefined });
    }
    if (key?.kind === "traffic") this.#endGroup(key.group);
  }

  #count(kind: EtcdKey["kind"], more: number): void {
    this.#counts.set(kind, this.count(kind) + more);
  }

  #remove(service: string, name: string): void {
    const { prefix, table } = this.#options;
    this.#held.delete(etcdKeyText(prefix, { kind: "instance", service, name }));
    const before = table.remove(service, name);
    if (before === undefined) return;
    this.#freed = true;
    this.#log(before, "expired or deregistered");
  }

  #endGroup(group: string): void {
    if (this.#options.table.removeTraffic(group)) this.#freed = true;
  }

  #weigh(setting: WeightSetting): void {
    if (this.#options.table.setWeight(setting)) this.#tell((logger) => logWeight(logger, setting));
  }

  #log(registration: EtcdRegistration, event: string): void {
    this.#tell((logger) => logRegistration(logger, registration, event));
  }

  /** What was there at the start is no news. */
  #tell(line: (logger: Logger) => void): void {
    if (this.#synced) line(this.#options.logger);
  }
}
