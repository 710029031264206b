import { ChannelCore } from "../../src/client/channel-core.js";
import { channelDefaults, type ResolvedPolicy } from "../../src/client/client-options.js";
import { type Instance, instanceOf } from "../../src/core/instance.js";
import { silentLogger } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import type { ServingError } from "../../src/core/serving-error.js";
import type { Snapshot } from "../../src/core/snapshot.js";
import type { Source, SourceListener } from "../../src/resolve/source.js";
import { FakeTransports } from "./client-fake-transport.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";
import { defaultPoolPolicy } from "./pool-policy.js";

/** A source that says what a test tells it to. */
export class HandSource implements Source {
  readonly name = "by hand";
  readonly service = "echo";
  started = 0;
  closed = 0;
  #listener: SourceListener | undefined;
  #version = 0;

  start(listener: SourceListener): void {
    this.started++;
    this.#listener = listener;
  }

  close(): Promise<void> {
    this.closed++;
    this.#listener = undefined;
    return Promise.resolve();
  }

  /** Gives out a list: `host:port` or `host:port=weight`, all hosts 127.0.0.1 when only a port is given. */
  list(...entries: readonly string[]): Snapshot {
    const snapshot: Snapshot = {
      version: ++this.#version,
      service: this.service,
      source: this.name,
      confirmedAtMs: 1_000_000,
      stale: false,
      instances: entries.map(instanceFrom),
      rejected: 0,
    };
    this.#listener?.onSnapshot(snapshot);
    return snapshot;
  }

  /** Says that a list is what it was. */
  confirm(snapshot: Snapshot, confirmedAtMs: number): void {
    this.#listener?.onConfirmed({ ...snapshot, confirmedAtMs });
  }

  fail(error: ServingError): void {
    this.#listener?.onError(error);
  }
}

/** `"1"` is 127.0.0.1:1 with weight 100, `"1=50"` the same with weight 50. */
export function instanceFrom(entry: string): Instance {
  const [port = "", weight = "100"] = entry.split("=");
  return instanceOf({ host: "127.0.0.1", port: Number(port), weight: Number(weight) });
}

/** A channel made of fakes. */
export interface FakeChannel {
  readonly core: ChannelCore;
  readonly source: HandSource;
  readonly transports: FakeTransports;
  readonly clock: FakeClock;
}

/** Policy of a channel of fakes, where it is not the default. */
export type FakePolicy = Partial<ResolvedPolicy> & { readonly connectTimeoutMs?: number };

/** Makes a channel of fakes; with `entries` it has its first list, and connections are ready at once. */
export function fakeChannel(
  { connectTimeoutMs, ...policy }: FakePolicy = {},
  ...entries: readonly string[]
): FakeChannel {
  const source = new HandSource();
  const transports = new FakeTransports();
  const clock = createFakeClock();
  const { timeoutMs, streamIdleTimeoutMs, maxAttempts, retryBudgetRatio } = channelDefaults;
  const { firstListTimeoutMs } = channelDefaults;
  const core = new ChannelCore({
    source,
    createTransport: transports.create,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    policy: {
      token: undefined,
      timeoutMs,
      streamIdleTimeoutMs,
      maxAttempts,
      retryBudgetRatio,
      firstListTimeoutMs,
      hedgeDelayMs: Number.POSITIVE_INFINITY,
      pool: {
        ...defaultPoolPolicy,
        connectTimeoutMs: connectTimeoutMs ?? channelDefaults.connectTimeoutMs,
        // So that no timer of the pool is pending beside those of a call.
        idleTimeoutMs: Number.POSITIVE_INFINITY,
      },
      ...policy,
    },
  });
  if (entries.length > 0) {
    transports.readyAtOnce = true;
    core.list.start();
    source.list(...entries);
  }
  return { core, source, transports, clock };
}
