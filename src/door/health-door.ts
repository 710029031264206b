import type { HostState } from "../builtin/host-view.js";
import { servingError } from "../core/serving-error.js";
import { hostStopping } from "../core/stop-errors.js";
import type { RpcRoute } from "../server/rpc.js";
import { serverStreamRoute, unaryRoute } from "../server/typed-rpc.js";
import { healthCheckRpc, healthListRpc, healthWatchRpc, ServingStatus } from "../wire/health.js";

/** What health is told from. */
export interface HealthView {
  readonly state: HostState;
  /** Calls `listener` after every change of `state`; returns how to take it back. */
  onChange(listener: (state: HostState) => void): () => void;
  /** Full names of the hosted gRPC services, and the host's own service name; all are as the host is. */
  readonly services: readonly string[];
}

/**
 * `grpc.health.v1.Health`: the host (the empty name) and its services are SERVING while the host is ready.
 *
 * A watch of a host that stops gets NOT_SERVING and then ends with UNAVAILABLE, so that no drain waits for it.
 */
export function healthRoutes(view: HealthView): readonly RpcRoute[] {
  return [
    unaryRoute(healthCheckRpc, ({ service }) => {
      const status = statusOf(view, service);
      if (status === ServingStatus.SERVICE_UNKNOWN) {
        const asked = JSON.stringify(service.slice(0, 80));
        throw servingError("UNKNOWN_SERVICE", `no service ${asked} is hosted here`);
      }
      return { status };
    }),
    unaryRoute(healthListRpc, () => ({
      statuses: new Map(
        ["", ...view.services].map((service) => [service, { status: statusOf(view, service) }]),
      ),
    })),
    serverStreamRoute(healthWatchRpc, ({ service }, { signal }) => watch(view, service, signal)),
  ];
}

function statusOf({ state, services }: HealthView, service: string): ServingStatus {
  if (service !== "" && !services.includes(service)) return ServingStatus.SERVICE_UNKNOWN;
  return state === "ready" ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}

/** Sends what differs from what was sent last: whoever reads slowly gets the latest only. */
async function* watch(
  view: HealthView,
  service: string,
  signal: AbortSignal,
): AsyncIterable<{ readonly status: ServingStatus }> {
  let sent: ServingStatus | undefined;
  while (!signal.aborted) {
    const status = statusOf(view, service);
    if (status !== sent) {
      sent = status;
      yield { status };
    } else if (view.state === "draining" || view.state === "stopped") {
      throw hostStopping();
    } else {
      await changed(view, signal);
    }
  }
}

function changed(view: HealthView, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      takeBack();
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const takeBack = view.onChange(wake);
    signal.addEventListener("abort", wake, { once: true });
  });
}
