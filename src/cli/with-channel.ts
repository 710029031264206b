import { openChannel, type ServiceChannel } from "../client/service-channel.js";
import type { Instance } from "../core/instance.js";
import { servingError } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";
import { type ChannelFlags, channelOptionsOf } from "./channel-flags.js";
import type { CliContext } from "./command.js";

/** A channel whose target has at least one instance. */
export interface ReadyChannel {
  readonly channel: ServiceChannel;
  readonly snapshot: Snapshot;
}

/**
 * Opens a channel to a target, waits for its first list, does something with it, and closes it.
 *
 * The list is waited for first: what is wrong with it is told, and not that a call which waited for it was late.
 *
 * @throws DiscoveryError `NO_INSTANCE` for an empty list; CallError `CANCELLED` when the command is stopped meanwhile; what the
 * flags, the list and `work` throw.
 */
export async function withChannel<T>(
  target: string,
  flags: ChannelFlags,
  context: CliContext,
  work: (ready: ReadyChannel) => Promise<T>,
): Promise<T> {
  const { signal } = context;
  const channel = openChannel(await channelOptionsOf(target, flags, context));
  try {
    const snapshot = await channel.ready({ signal });
    instancesIn(snapshot);
    return await work({ channel, snapshot });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw servingError("CANCELLED", "given up", { cause: thrown });
  } finally {
    await channel.close();
  }
}

/**
 * The instances of a list that must have some.
 *
 * @throws DiscoveryError `NO_INSTANCE` that names service and source.
 */
export function instancesIn({ instances, service, source }: Snapshot): readonly Instance[] {
  if (instances.length > 0) return instances;
  throw servingError("NO_INSTANCE", `${service}: the list from ${source} is empty`);
}
