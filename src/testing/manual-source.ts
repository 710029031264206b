import type { ChannelOptions } from "../client/client-options.js";
import { resolveTargetless } from "../client/resolve-options.js";
import { openChannelOn, type ServiceChannel } from "../client/service-channel.js";
import {
  DEFAULT_WEIGHT,
  type Instance,
  instanceOf,
  portProblem,
  weightProblem,
} from "../core/instance.js";
import { servingError } from "../core/serving-error.js";
import {
  createSnapshotKeeper,
  type LearnedList,
  type SnapshotKeeper,
} from "../resolve/snapshot-keeper.js";

/** One instance as a test names it; the `address` of a host will do. */
export interface ManualInstance {
  readonly host: string;
  readonly port: number;
  /** Share of traffic, 0 for none. @defaultValue 100 */
  readonly weight?: number | undefined;
}

/** A list of instances that a test changes by hand. */
export interface ManualSource {
  /**
   * Replaces the list, for every channel that was opened on it.
   *
   * @throws ConfigError `INVALID_OPTION` for a port or weight that cannot be.
   */
  set(instances: readonly ManualInstance[]): void;
  /**
   * Opens a channel that finds its instances here: `createClient(definition, { channel })`. It has real connections.
   *
   * @param options - as `openChannel` takes them, without a target
   */
  openChannel(options?: Omit<ChannelOptions, "target">): ServiceChannel;
}

/**
 * Makes a source for tests of apps whose instances come and go.
 *
 * @param instances - the first list; without one, channels wait for theirs until `set`
 * @throws ConfigError `INVALID_OPTION` for a port or weight that cannot be.
 * @example
 * ```ts
 * const source = manualSource([first.host.address]);
 * const client = createClient(PredictServiceDefinition, { channel: source.openChannel() });
 * source.set([second.host.address]);
 * ```
 */
export function manualSource(instances?: readonly ManualInstance[]): ManualSource {
  const keepers = new Set<SnapshotKeeper>();
  let latest: LearnedList | undefined = instances === undefined ? undefined : listOf(instances);
  return {
    set(next) {
      latest = listOf(next);
      for (const keeper of keepers) keeper.accept(latest);
    },
    openChannel: (options = {}) =>
      openChannelOn(resolveTargetless(options), {
        createSource: ({ clock, logger }) => {
          const names = { source: "manual", service: "manual" };
          let keeper: SnapshotKeeper | undefined;
          return {
            name: names.source,
            service: names.service,
            start(listener) {
              const started = createSnapshotKeeper({ ...names, clock, logger, listener });
              keeper = started;
              keepers.add(started);
              // A listener is never told from inside start.
              queueMicrotask(() => {
                if (latest !== undefined) started.accept(latest);
              });
            },
            async close() {
              if (keeper !== undefined) keepers.delete(keeper);
              keeper?.close();
            },
          };
        },
      }),
  };
}

function listOf(instances: readonly ManualInstance[]): LearnedList {
  return { instances: instances.map(checkedInstance), rejected: 0 };
}

function checkedInstance({ host, port, weight = DEFAULT_WEIGHT }: ManualInstance): Instance {
  const problem = portProblem(port) ?? weightProblem(weight);
  if (problem === undefined) return instanceOf({ host, port, weight });
  throw servingError("INVALID_OPTION", `instance ${host}: ${problem}`);
}
