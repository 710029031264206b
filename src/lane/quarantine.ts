import { createHash } from "node:crypto";
import { type Invocation, isSequence } from "../core/invocation.js";
import type { Clock, Logger } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";

/** Deaths with the same request in progress, without a success between them, after which it is refused. */
const DEATHS = 2;
/** How long such a request is refused. */
const REFUSED_MS = 60_000;
/** How long a request stays suspect after a death. */
const SUSPECT_MS = 600_000;
/** Suspects kept; the oldest goes first. */
const MAX_SUSPECTS = 1_024;

/**
 * Keeps a request that kills lanes from killing them all: one that was in progress in two lane deaths in a row is refused
 * for a minute. Only requests of one payload are known again, by a hash of handler, service, method, path, query and
 * payload; it is computed at a death, and then only for requests that are as long as a suspect.
 */
export interface Quarantine {
  /** Why a request is refused; undefined when it is not. */
  refusal(invocation: Invocation): ServingError | undefined;
  /** A lane died with the request in progress. */
  died(invocation: Invocation): void;
  /** The request was answered. */
  succeeded(invocation: Invocation): void;
}

interface Suspect {
  readonly bytes: number;
  readonly deaths: number;
  /** When it is forgotten; a refused one until it may be tried again. */
  readonly untilMs: number;
}

/** Makes a quarantine without suspects. */
export function createQuarantine({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: Logger;
}): Quarantine {
  return new SuspectList(clock, logger);
}

class SuspectList implements Quarantine {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #suspects = new Map<string, Suspect>();
  /** Suspects by the length of their payload. */
  readonly #lengths = new Map<number, number>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  refusal(invocation: Invocation): ServingError | undefined {
    const hash = this.#hashOfLikely(invocation);
    if (hash === undefined) return undefined;
    const suspect = this.#known(hash);
    if (suspect === undefined || suspect.deaths < DEATHS) return undefined;
    const seconds = Math.ceil((suspect.untilMs - this.#clock.now()) / 1_000);
    return servingError(
      "REQUEST_QUARANTINED",
      `request ${shortHash(hash)} was in progress when ${DEATHS} lanes in a row died; refused for ${seconds} s more`,
    );
  }

  died(invocation: Invocation): void {
    const { payloads } = invocation;
    if (isSequence(payloads)) return;
    const hash = hashOf(invocation, payloads);
    const deaths = (this.#known(hash)?.deaths ?? 0) + 1;
    const refused = deaths >= DEATHS;
    this.#forget(hash);
    const untilMs = this.#clock.now() + (refused ? REFUSED_MS : SUSPECT_MS);
    this.#suspects.set(hash, { bytes: payloads.byteLength, deaths, untilMs });
    this.#countLength(payloads.byteLength, 1);
    const [oldest] = this.#suspects.keys();
    if (this.#suspects.size > MAX_SUSPECTS && oldest !== undefined) this.#forget(oldest);
    if (!refused) return;
    this.#logger.error(
      { hash, handler: invocation.handler, method: invocation.method, refusedMs: REFUSED_MS },
      "request quarantined: it was in progress when lanes died, twice in a row",
    );
  }

  succeeded(invocation: Invocation): void {
    const hash = this.#hashOfLikely(invocation);
    if (hash !== undefined) this.#forget(hash);
  }

  #hashOfLikely(invocation: Invocation): string | undefined {
    if (this.#suspects.size === 0) return undefined;
    const { payloads } = invocation;
    if (isSequence(payloads) || !this.#lengths.has(payloads.byteLength)) return undefined;
    return hashOf(invocation, payloads);
  }

  #known(hash: string): Suspect | undefined {
    const suspect = this.#suspects.get(hash);
    if (suspect === undefined || suspect.untilMs > this.#clock.now()) return suspect;
    this.#forget(hash);
    return undefined;
  }

  #forget(hash: string): void {
    const suspect = this.#suspects.get(hash);
    if (suspect === undefined) return;
    this.#suspects.delete(hash);
    this.#countLength(suspect.bytes, -1);
  }

  #countLength(bytes: number, change: number): void {
    const count = (this.#lengths.get(bytes) ?? 0) + change;
    if (count === 0) this.#lengths.delete(bytes);
    else this.#lengths.set(bytes, count);
  }
}

function hashOf(invocation: Invocation, payload: Uint8Array): string {
  const { handler, service, method, path, query } = invocation;
  return createHash("sha256")
    .update(JSON.stringify([handler, service, method, path, query]))
    .update(payload)
    .digest("hex");
}

function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
