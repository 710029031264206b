import { localEnd } from "../transport/local-end.js";
import type { AttemptEnd } from "../transport/transport.js";
import type { ChannelCore } from "./channel-core.js";

/** There is nothing in the list that a call could go to. */
export function noInstanceEnd({ list, service }: ChannelCore): AttemptEnd {
  const listed = list.snapshot?.instances.length ?? 0;
  const said = listed === 0 ? "the list is empty" : `all ${listed} weights are 0`;
  return localEnd("NO_INSTANCE", `${service}: ${said}`);
}

/** No connection to anything listed came up in time. */
export function unreachableEnd(waitedMs: number, last: AttemptEnd | undefined): AttemptEnd {
  const said = `none of the instances could be reached within ${Math.round(waitedMs)} ms`;
  return localEnd("CONNECT_FAILED", last === undefined ? said : `${said}, last: ${last.message}`);
}

/** A stream of answers fell silent. */
export function silentStreamEnd(waitedMs: number, first: boolean): AttemptEnd {
  const said = first ? "no first message" : "no message";
  const option = first ? "timeoutMs" : "streamIdleTimeoutMs";
  return localEnd("DEADLINE_EXCEEDED", `${said} within ${waitedMs} ms (${option})`);
}
