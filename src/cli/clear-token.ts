import { isLoopback } from "../core/endpoint.js";
import type { Instance } from "../core/instance.js";
import { type ChannelFlags, usesTls } from "./channel-flags.js";
import type { CliContext } from "./command.js";

/** Warns of a token that is sent without TLS to other machines, where everybody on the way can read it. */
export function warnOfClearToken(
  token: string | undefined,
  instances: readonly Instance[],
  flags: ChannelFlags,
  { terminal }: Pick<CliContext, "terminal">,
): void {
  if (token === undefined || usesTls(flags)) return;
  const [first, ...others] = instances.filter(({ host }) => !isLoopback(host));
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const warning = `the token goes to ${first.key}${more} without TLS, for all on the way to read`;
  terminal.fail({ warning }, `warning: ${warning}`);
}
