import { isLoopback } from "../core/endpoint.js";
import type { CliContext } from "./command.js";

/** Where a token goes. */
export interface TokenPlace {
  readonly host: string;
  /** As it is shown. */
  readonly key: string;
}

/**
 * Warns of a token that is sent without TLS to other machines, where everybody on the way can read it.
 *
 * @param places - who gets it without TLS
 * @param what - whose token it is
 */
export function warnOfClearToken(
  token: unknown,
  places: readonly TokenPlace[],
  { terminal }: Pick<CliContext, "terminal">,
  what = "the token",
): void {
  if (token === undefined) return;
  const [first, ...others] = places.filter(({ host }) => !isLoopback(host));
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const warning = `${what} goes to ${first.key}${more} without TLS, for all on the way to read`;
  terminal.fail({ warning }, `warning: ${warning}`);
}
