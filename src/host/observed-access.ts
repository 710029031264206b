import type { Clock } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import { statusName } from "../core/status.js";
import type { EndedCall } from "../door/invoker.js";
import type { HttpRequest } from "../server/http.js";
import { httpErrorForms } from "../server/http-errors.js";
import type { RequestHead } from "../server/request-head.js";
import type { WebDoor } from "../server/web/web-door.js";
import type { Access } from "./access.js";
import type { CallMetrics } from "./call-metrics.js";
import { httpRouteOf } from "./http-routes.js";

/** What refusals are counted with. */
export interface RefusalCounting {
  readonly calls: CallMetrics;
  /** Tells calls of methods over HTTP from other requests. */
  readonly web: Pick<WebDoor, "doorOf">;
  readonly clock: Clock;
}

/** Counts and logs what is refused by its head, before any door has it. */
export function observedAccess(access: Access, counting: RefusalCounting): Access {
  return (head) => {
    const refusal = access(head);
    if (refusal !== undefined) countRefusal(counting, head, counting.clock.now(), refusal);
    return refusal;
  };
}

/** Counts and logs a request over HTTP that no door answers. */
export function countUnanswered(
  counting: RefusalCounting,
  request: HttpRequest,
  error: ServingError,
): void {
  const { method, path, peer, headers } = request;
  const head = { kind: "http", method, path, peer, metadata: headers } as const;
  countRefusal(counting, head, request.arrivedMs, error);
}

function countRefusal(
  { calls, web }: RefusalCounting,
  head: RequestHead,
  arrivedMs: number,
  error: ServingError,
): void {
  const { method, path, metadata, peer } = head;
  const door = head.kind === "rpc" ? "grpc" : (web.doorOf(head) ?? "eas");
  const rpc = door !== "eas";
  const call: EndedCall = {
    door,
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
