/** How far the log reaches back, so that it takes a few megabytes at most. */
export interface ChangeLogBounds {
  /** Changes of one service. */
  readonly maxPerService: number;
  /** Changes of all services. */
  readonly maxInAll: number;
}

const changeLogBounds: ChangeLogBounds = Object.freeze({
  maxPerService: 1_024,
  maxInAll: 131_072,
});

/** Remembers which addresses of a service have changed lately. */
export interface ChangeLog {
  /**
   * Adds what has changed.
   *
   * @param since - the version of the service's list before
   * @param version - the one that it has now
   */
  add(service: string, since: number, version: number, keys: readonly string[]): void;
  /** The addresses that have changed after a version; undefined when that is too long ago. */
  changedSince(service: string, since: number): ReadonlySet<string> | undefined;
  /** Forgets a service. */
  drop(service: string): void;
}

interface ServiceLog {
  /** Of changes up to this version nothing is known. */
  floor: number;
  /** Ascending. */
  readonly versions: number[];
  /** To each version the address. */
  readonly keys: string[];
}

/** Makes an empty log. */
export function createChangeLog(bounds: ChangeLogBounds = changeLogBounds): ChangeLog {
  /** The service that has changed last stands last. */
  const logs = new Map<string, ServiceLog>();
  let size = 0;

  function drop(service: string): void {
    size -= logs.get(service)?.keys.length ?? 0;
    logs.delete(service);
  }

  /** Half is given up at once, so that most changes move nothing. */
  function trim(log: ServiceLog): void {
    if (log.keys.length <= bounds.maxPerService) return;
    const dropped = log.keys.length - (bounds.maxPerService >> 1);
    log.floor = log.versions[dropped - 1] ?? log.floor;
    log.versions.splice(0, dropped);
    log.keys.splice(0, dropped);
    size -= dropped;
  }

  return {
    add(service, since, version, keys) {
      const log = logs.get(service) ?? { floor: since, versions: [], keys: [] };
      for (const key of keys) {
        log.versions.push(version);
        log.keys.push(key);
      }
      size += keys.length;
      trim(log);
      logs.delete(service);
      logs.set(service, log);
      for (const oldest of logs.keys()) {
        if (size <= bounds.maxInAll || oldest === service) break;
        drop(oldest);
      }
    },
    changedSince(service, since) {
      const log = logs.get(service);
      if (log === undefined || since < log.floor) return undefined;
      const changed = new Set<string>();
      for (let i = log.keys.length - 1; (log.versions[i] ?? 0) > since; i--) {
        const key = log.keys[i];
        if (key !== undefined) changed.add(key);
      }
      return changed;
    },
    drop,
  };
}
