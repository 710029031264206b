import { ChannelCore } from "../../src/client/channel-core.js";
import { channelDefaults, type ResolvedPolicy } from "../../src/client/client-options.js";
import { silentLogger, systemClock } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { createHttpTransport } from "../../src/transport/http-transport.js";
import { HandSource } from "./client-channel.js";
import { defaultPoolPolicy } from "./pool-policy.js";

/** A channel over HTTP with real connections, whose list is in the hands of a test. */
export interface HttpChannel extends AsyncDisposable {
  readonly core: ChannelCore;
  readonly source: HandSource;
}

/** Opens a channel to these instances: `port` or `port=weight`; none yet when there are none. */
export function openHttpChannel(
  entries: readonly (string | number)[],
  policy: Partial<ResolvedPolicy> = {},
): HttpChannel {
  const source = new HandSource();
  const { connectTimeoutMs, loadReports } = policy.pool ?? defaultPoolPolicy;
  const transport = { tls: undefined, maxMessageBytes: 1_000_000, connectTimeoutMs, loadReports };
  const core = new ChannelCore({
    source,
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    policy: { ...channelDefaults, token: undefined, pool: defaultPoolPolicy, ...policy },
    createTransport: (instance) =>
      createHttpTransport(instance, { ...transport, clock: systemClock }),
  });
  core.list.start();
  if (entries.length > 0) source.list(...entries.map(String));
  return { core, source, [Symbol.asyncDispose]: () => core.close() };
}
