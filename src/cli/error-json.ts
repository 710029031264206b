import { CallError, type ServingError } from "../core/serving-error.js";
import { statusName } from "../core/status.js";

/** An error as machines get it; that of a call with instance and attempts. */
export function errorJson(error: ServingError): object {
  const { code, reason, message } = error;
  return { error: { code: statusName(code), reason, message, ...callParts(error) } };
}

function callParts(error: ServingError): object {
  if (!(error instanceof CallError)) return {};
  const { remote, instance, attempts } = error;
  return { remote, instance, attempts };
}
