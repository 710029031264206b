import { localEnd } from "../../transport/local-end.js";
import type { AttemptEnd } from "../../transport/transport.js";
import type { ChannelCore } from "../channel-core.js";

/** There is nothing in the list that a call could go to. */
export function noInstanceEnd({ list, service }: ChannelCore): AttemptEnd {
  const listed = list.snapshot?.instances.length ?? 0;
  const said = listed === 0 ? "the list is empty" : `all ${listed} weights are 0`;
  return localEnd("NO_INSTANCE", `${service}: ${said}`);
}

/** Nothing that is listed could be picked in time: not reached, or not ready by its own word. */
export function unreachableEnd(
  { pool }: ChannelCore,
  waitedMs: number,
  last: AttemptEnd | undefined,
): AttemptEnd {
  const { reason, text } = pool.whyNone();
  const said = `no instance could be picked within ${Math.round(waitedMs)} ms (${text})`;
  return localEnd(reason, last === undefined ? said : `${said}, last: ${last.message}`);
}

/** A stream of answers fell silent. */
export function silentStreamEnd(waitedMs: number, first: boolean): AttemptEnd {
  const said = first ? "no first message" : "no message";
  const option = first ? "timeoutMs" : "streamIdleTimeoutMs";
  return localEnd("DEADLINE_EXCEEDED", `${said} within ${waitedMs} ms (${option})`);
}

/** There was no time left, or none for another attempt. */
export function outOfTimeEnd(): AttemptEnd {
  return localEnd("DEADLINE_EXCEEDED", "no time was left for an attempt");
}

/** The call on whose behalf this one was made has been given up. */
export function servedCallOverEnd(): AttemptEnd {
  return localEnd("CANCELLED", "the call that was being served has been given up");
}

/** Another attempt of the same call was faster. */
export const overtakenEnd: AttemptEnd = localEnd("CANCELLED", "another attempt was faster");
