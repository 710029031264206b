import { servingError } from "../../core/serving-error.js";
import { createEtcdClient, type EtcdClient } from "../../etcd/etcd-client.js";
import { createOutageHold, type OutageHold } from "../../etcd/outage-hold.js";
import { type PrefixWatch, watchPrefix } from "../../etcd/prefix-watch.js";
import type { TransportFactory } from "../../transport/transport.js";
import { noneMakesSense } from "../../wire/left-out.js";
import { SETTLE_MS } from "../../wire/upstream.js";
import { createJoinedChanges, type JoinedChanges } from "../joined-changes.js";
import { createSnapshotKeeper, type SnapshotKeeper } from "../snapshot-keeper.js";
import type { Source, SourceListener } from "../source.js";
import { sourceFailure } from "../source-failure.js";
import type { SourceOptions } from "../source-options.js";
import type { EtcdTarget } from "../target/target-kind.js";
import { EtcdList } from "./etcd-list.js";

/** What the etcd source needs. */
export interface EtcdSourceOptions extends SourceOptions {
  /** Makes the way to a member; gRPC unless a test says otherwise. */
  readonly connect?: TransportFactory;
}

/**
 * Makes the source of a service whose instances stand below a prefix in etcd, in etcd's official naming convention.
 *
 * No key below the prefix is an authoritative "none". A list of which nothing makes sense is a failure.
 *
 * Leases that ran out while etcd was away could not be renewed: who stood under one stays on the list, which is a stale one, until
 * 15 s after etcd's return.
 */
export function createEtcdSource(target: EtcdTarget, options: EtcdSourceOptions): Source {
  return new EtcdSource(target, options);
}

class EtcdSource implements Source {
  readonly name: string;
  readonly service: string;
  readonly #target: EtcdTarget;
  readonly #options: EtcdSourceOptions;
  readonly #list: EtcdList;
  #keeper: SnapshotKeeper | undefined;
  #changes: JoinedChanges | undefined;
  #hold: OutageHold | undefined;
  #client: EtcdClient | undefined;
  #watch: PrefixWatch | undefined;
  /** The keeper does not have the list that this one's changes are changes of. */
  #wholeNext = true;

  constructor(target: EtcdTarget, options: EtcdSourceOptions) {
    this.name = target.text;
    this.service = target.service;
    this.#target = target;
    this.#options = options;
    this.#list = new EtcdList(target.prefix);
  }

  start(listener: SourceListener): void {
    const { name, service } = this;
    const { clock, random, logger, directoryTls: tls, directoryToken, connect } = this.#options;
    if (directoryToken !== undefined) {
      logger.warn({ source: name, service }, "directoryToken is not sent to etcd");
    }
    const keeper = createSnapshotKeeper({ source: name, service, clock, logger, listener });
    const joined = createJoinedChanges(clock, () => this.#tell(keeper));
    const hold = createOutageHold({
      clock,
      holdMs: SETTLE_MS,
      onEnd: () => {
        this.#list.letGo();
        joined.note();
      },
    });
    const { members, prefix } = this.#target;
    const client = createEtcdClient({ members, tls, clock, random, connect });
    this.#keeper = keeper;
    this.#changes = joined;
    this.#hold = hold;
    this.#client = client;
    this.#watch = watchPrefix(
      prefix,
      { client, clock, random },
      {
        onSync: (entries) => {
          hold.heard();
          this.#list.replace(entries, hold.holding);
          this.#wholeNext = true;
          joined.note();
        },
        onChanges: (changes) => {
          hold.heard();
          this.#list.apply(changes, hold.holding);
          joined.note();
        },
        onConfirmed: () => {
          hold.heard();
          joined.flush();
          if (!this.#list.senseless && !this.#list.keeps) keeper.confirm();
        },
        onError: (error) => {
          joined.flush();
          keeper.fail(sourceFailure(this.name, error));
        },
      },
    );
  }

  async close(): Promise<void> {
    this.#keeper?.close();
    this.#changes?.close();
    this.#hold?.close();
    this.#watch?.close();
    this.#client?.close();
  }

  #tell(keeper: SnapshotKeeper): void {
    if (this.#list.senseless) {
      const { rejected = 0, firstProblem } = this.#list.takeChange();
      this.#wholeNext = true;
      const problem = noneMakesSense({ rejected, firstProblem });
      keeper.fail(servingError("UPSTREAM_MALFORMED", `${this.name}: ${problem}`));
    } else if (this.#wholeNext || keeper.refused) {
      this.#wholeNext = false;
      keeper.accept(this.#list.takeAll(), { doubted: this.#list.keeps });
    } else {
      keeper.change(this.#list.takeChange(), { doubted: this.#list.keeps });
    }
  }
}
