import { servingError } from "../../core/serving-error.js";
import { isToken } from "../../core/token.js";
import type { TokenSource } from "../client-options.js";
import type { RequestHead } from "./call-start.js";

const AUTHORIZATION = "authorization";

/** Asks for the token and puts it into the headers; rejects when there is none that can be sent. */
export type AskToken = () => Promise<void>;

/**
 * Puts a channel's token into the headers of a call that has none of its own.
 *
 * @returns what to do before each attempt; undefined when nothing is left to do
 */
export function authorize(token: TokenSource | undefined, head: RequestHead): AskToken | undefined {
  if (token === undefined || head.has(AUTHORIZATION)) return undefined;
  if (typeof token === "function") {
    return async () => {
      const given: unknown = await token();
      // Not shown: it may be a secret with a stray line end.
      if (!isToken(given)) throw servingError("UNAUTHENTICATED", "token() gave no usable text");
      head.set(AUTHORIZATION, given);
    };
  }
  head.set(AUTHORIZATION, token);
  return undefined;
}
