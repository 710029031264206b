import type { UpstreamDifference, UpstreamList } from "../wire/upstream.js";
import type {
  Lease,
  Registration,
  TrafficSetting,
  WeightSetting,
} from "../wire/upstream-registration.js";

/** What holds after an operator's weight has been set or taken back. */
export interface WeightOutcome {
  /** Whether an instance of that name is registered now. */
  readonly registered: boolean;
  /** Version of the service's list. */
  readonly version: string;
}

/**
 * Keeps what a directory knows: registrations under leases, operators' weights, traffic shares of groups.
 *
 * Reading is immediate, from memory; writing may take time. Everything that is handed over has been checked.
 */
export interface DirectoryStore {
  /** Names of the services that have an instance or an entry, ascending. */
  services(): readonly string[];
  /**
   * The list of a service or of a group with traffic shares; the same object as long as nothing changes.
   *
   * Known, once it has registered or been shared out, even when it is empty.
   */
  list(service: string): UpstreamList;
  /**
   * What leads from the version `since` of a list to the one that {@link list} gives now. It may repeat who is the same, and name
   * as removed who was in neither.
   *
   * @returns undefined when that is too long ago to know, or more than the list itself
   */
  difference(service: string, since: string): UpstreamDifference | undefined;
  /**
   * Lists an instance; whoever held its name in that service before loses the lease, unless it is the same holder: that one keeps
   * its lease.
   */
  register(registration: Registration): Promise<Lease>;
  /**
   * Renews a lease.
   *
   * @throws HostError `LEASE_UNKNOWN`
   */
  keepAlive(leaseId: string): Promise<Lease>;
  /** Ends a lease; one that is not known is none already. */
  deregister(leaseId: string): Promise<void>;
  /** Sets or takes back an operator's weight; it outlives registrations. */
  setWeight(setting: WeightSetting): Promise<WeightOutcome>;
  /** Sets the traffic shares of a group, all at once, and returns the version of its list. */
  setTraffic(setting: TrafficSetting): Promise<string>;
  /**
   * Calls back with the name of every service or group whose list has changed, until taken back. A list that becomes stale, or fresh
   * again, has changed, version included.
   */
  onChange(listener: (service: string) => void): () => void;
  /** Ends what it has going, when what it has acknowledged is kept. */
  close(): Promise<void>;
}
