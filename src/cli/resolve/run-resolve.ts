import { resolveChannelOptions } from "../../client/resolve-options.js";
import { channelOptionsOf, usesTls } from "../channel-flags.js";
import type { CliContext } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { withChannel } from "../with-channel.js";
import { askHealthOf, servingCount } from "./ask-health.js";
import type { ResolveFlags } from "./flags.js";
import { listJson, listText } from "./list-text.js";
import { watchList } from "./watch-list.js";

/**
 * Runs `inferwire resolve`.
 *
 * @returns the exit code: that of a failed call when health was asked for and no instance serves
 */
export async function runResolve(
  target: string,
  flags: ResolveFlags,
  context: CliContext,
): Promise<number> {
  const askHealth = await askHealthOf(flags, context);
  // Where no instance is called, what is said of TLS is meant for those who list them.
  const forList = askHealth === undefined && usesTls(flags);
  const meant = forList ? { ...flags, directoryTls: true } : flags;
  if (flags.watch === true) {
    const options = resolveChannelOptions(await channelOptionsOf(target, meant, context));
    await watchList(options, context, askHealth);
    return 0;
  }
  const { terminal, clock, signal } = context;
  return await withChannel(target, meant, context, async ({ snapshot }) => {
    const health = await askHealth?.(snapshot);
    signal.throwIfAborted();
    const list = { snapshot, nowMs: clock.now(), health };
    terminal.result(listJson(list), listText(list));
    return health === undefined || servingCount(health) > 0 ? 0 : exitCodes.call;
  });
}
