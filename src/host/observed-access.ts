import type { Clock } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import { statusName } from "../core/status.js";
import type { EndedCall } from "../door/invoker.js";
import type { HttpRequest } from "../server/http.js";
import { httpErrorForms } from "../server/http-errors.js";
import type { RequestHead } from "../server/request-head.js";
import type { Access } from "./access.js";
import type { CallMetrics } from "./call-metrics.js";
import { httpRouteOf } from "./http-routes.js";

/** Counts and logs what is refused by its head, before any door has it. */
export function observedAccess(access: Access, calls: CallMetrics, clock: Clock): Access {
  return (head) => {
    const refusal = access(head);
    if (refusal !== undefined) countRefusal(calls, head, clock.now(), refusal);
    return refusal;
  };
}

/** Counts and logs a request over HTTP that no door answers. */
export function countUnanswered(
  calls: CallMetrics,
  request: HttpRequest,
  error: ServingError,
): void {
  const { method, path, peer, headers } = request;
  const head = { kind: "http", method, path, peer, metadata: headers } as const;
  countRefusal(calls, head, request.arrivedMs, error);
}

function countRefusal(
  calls: CallMetrics,
  { kind, method, path, metadata, peer }: RequestHead,
  arrivedMs: number,
  error: ServingError,
): void {
  const rpc = kind === "rpc";
  const call: EndedCall = {
    door: rpc ? "grpc" : "eas",
    method: rpc ? path : method,
    service: "",
    metadata,
    peer,
    arrivedMs,
  };
  const name = rpc ? path : `${method} ${httpRouteOf(path)}`;
  const status = rpc ? statusName(error.code) : String(httpErrorForms[error.reason].status);
  calls.refused(call, name, status, error);
}
