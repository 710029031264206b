import { errorCatalog } from "../core/error-catalog.js";
import { CallError, type ServingError } from "../core/serving-error.js";

/** What an error says itself: of a failed attempt without the status, method and advice that stand around it. */
export function saidBy(error: ServingError): string {
  const { message } = error;
  if (!(error instanceof CallError) || error.instance === undefined) return message;
  // What grpc-js says of it is about its own inside.
  if (error.reason === "DEADLINE_EXCEEDED" && !error.remote) return "no answer in time";
  const before = ` on ${error.instance}: `;
  const start = message.indexOf(before);
  if (start < 0) return message;
  return withoutAdvice(message.slice(start + before.length));
}

/** Advice stands at the end, once for each error that a message has gone through. */
function withoutAdvice(text: string): string {
  const after = Object.values(errorCatalog).find(({ advice }) => text.endsWith(`; ${advice}`));
  return after === undefined ? text : withoutAdvice(text.slice(0, -after.advice.length - 2));
}
