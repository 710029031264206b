import type { RequestHead } from "./call-start.js";
import type { TokenSource } from "./client-options.js";

const AUTHORIZATION = "authorization";

/** Asks for the token and puts it into the headers. */
export type AskToken = () => Promise<void>;

/**
 * Puts a channel's token into the headers of a call that has none of its own.
 *
 * @returns what to do before each attempt; undefined when nothing is left to do
 */
export function authorize(token: TokenSource | undefined, head: RequestHead): AskToken | undefined {
  if (token === undefined || head.has(AUTHORIZATION)) return undefined;
  if (typeof token === "function") return async () => head.set(AUTHORIZATION, await token());
  head.set(AUTHORIZATION, token);
  return undefined;
}
