import type { Clock, Logger, Random } from "../core/ports.js";
import { CallError, type ServingError, servingError } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";
import type { Source } from "../resolve/source.js";
import type { TransportFactory } from "../transport/transport.js";
import { HedgeDelays } from "./call/hedge-delays.js";
import { RetryBudget } from "./call/retry-budget.js";
import type { ResolvedPolicy } from "./client-options.js";
import { ChannelMetrics } from "./metrics/channel-metrics.js";
import { type ClientMetrics, clientMetricsFrom } from "./metrics/client-metrics.js";
import { InstanceList } from "./pool/instance-list.js";
import { InstancePool } from "./pool/instance-pool.js";

/** What a channel is made of; tests bring their own. */
export interface ChannelParts {
  readonly source: Source;
  readonly createTransport: TransportFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly policy: ResolvedPolicy;
}

/** A call under way, as far as closing needs to know it. */
export interface OpenCall {
  /** Whose call it is: closing a client ends only its own. */
  readonly owner: object;
  /** Ends the call on this side. */
  closeDown(): void;
}

/** What calls share: the list, the pool, the budget, and who is under way. */
export class ChannelCore {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy: ResolvedPolicy;
  readonly pool: InstancePool;
  readonly list: InstanceList;
  readonly budget: RetryBudget;
  readonly hedgeDelays: HedgeDelays;
  readonly metrics: ChannelMetrics = new ChannelMetrics();
  readonly calls: Set<OpenCall> = new Set();
  readonly service: string;
  readonly sourceName: string;
  #closing: Promise<void> | undefined;

  constructor(parts: ChannelParts) {
    const { source, clock, logger, policy } = parts;
    this.clock = clock;
    this.logger = logger;
    this.policy = policy;
    this.service = source.service;
    this.sourceName = source.name;
    this.pool = new InstancePool({
      ...parts,
      policy: policy.pool,
      onEjected: (cause) => this.metrics.ejected(cause),
    });
    this.list = new InstanceList(source, { logger, clock }, ({ instances }, change) =>
      this.pool.update(instances, change),
    );
    this.budget = new RetryBudget(policy.retryBudgetRatio, clock);
    this.hedgeDelays = new HedgeDelays(clock);
  }

  /** Whether no more calls can be made. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The latest list; an empty one of version 0 before the first. */
  get snapshot(): Snapshot {
    return (
      this.list.snapshot ?? {
        version: 0,
        service: this.service,
        source: this.sourceName,
        confirmedAtMs: 0,
        stale: true,
        instances: [],
        rejected: 0,
      }
    );
  }

  /** What has been counted, and how things stand now. */
  readMetrics(): ClientMetrics {
    const { service, metrics, pool, budget, list, clock } = this;
    return clientMetricsFrom({
      service,
      metrics,
      instances: pool.counts(),
      retryBudget: { left: budget.left, refused: budget.refused },
      snapshot: list.snapshot,
      nowMs: clock.now(),
    });
  }

  /**
   * Waits for the first list.
   *
   * @throws DiscoveryError when it does not come in time, CallError `CLIENT_CLOSED`, or the signal's reason.
   */
  firstList(timeoutMs: number, signal: AbortSignal | undefined): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.closed) throw closedError();
      const known = this.list.snapshot;
      if (known !== undefined) {
        resolve(known);
        return;
      }
      const owner = {};
      const settle = (settled: () => void): void => {
        stopTimer();
        stopList();
        this.calls.delete(waiting);
        signal?.removeEventListener("abort", aborted);
        settled();
      };
      const aborted = (): void => settle(() => reject(signal?.reason));
      const waiting = { owner, closeDown: () => settle(() => reject(closedError())) };
      const stopTimer = this.clock.after(timeoutMs, () =>
        settle(() => reject(this.listError(timeoutMs))),
      );
      const stopList = this.list.onFirst(() => settle(() => resolve(this.snapshot)));
      signal?.addEventListener("abort", aborted);
      this.calls.add(waiting);
    });
  }

  /** Why there is no list after so long: what the source said last, or that it said nothing. */
  listError(waitedMs: number): ServingError {
    return (
      this.list.lastError ??
      servingError(
        "LIST_TIMEOUT",
        `no list of ${this.service} from ${this.sourceName} within ${waitedMs} ms`,
      )
    );
  }

  /** Ends the calls of one owner. */
  closeCalls(owner: object): void {
    for (const call of [...this.calls]) if (call.owner === owner) call.closeDown();
  }

  /** Ends everything: calls, source, connections; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // After this turn, so that `closed` is true for whoever hears of it.
    await Promise.resolve();
    for (const call of [...this.calls]) call.closeDown();
    this.hedgeDelays.close();
    this.pool.close();
    await this.list.close();
  }
}

function closedError(): CallError {
  return new CallError("CLIENT_CLOSED", "the channel was closed");
}
