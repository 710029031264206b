import { servingError } from "../core/serving-error.js";
import type { RpcRoute } from "../server/rpc.js";
import { serverStreamRoute, unaryRoute } from "../server/typed-rpc.js";
import {
  deregisterRpc,
  keepAliveRpc,
  listServicesRpc,
  listUpstreamsRpc,
  registerRpc,
  setTrafficRpc,
  setWeightRpc,
  type UpstreamList,
  upstreamListToWire,
  watchUpstreamsRpc,
} from "../wire/upstream.js";
import {
  checkedService,
  leaseToWire,
  registrationFromWire,
  trafficSettingFromWire,
  weightSettingFromWire,
} from "../wire/upstream-registration.js";
import type { DirectoryStore } from "./store.js";
import type { WatchHub } from "./watch-hub.js";

/** Paths of the methods that change something. */
export const writingPaths: ReadonlySet<string> = new Set(
  [registerRpc, keepAliveRpc, deregisterRpc, setWeightRpc, setTrafficRpc].map(({ path }) => path),
);

/** Makes the routes of `UpstreamService`. */
export function upstreamRoutes(store: DirectoryStore, hub: WatchHub): readonly RpcRoute[] {
  return [
    unaryRoute(listServicesRpc, () => ({ services: [...store.services()] })),
    unaryRoute(listUpstreamsRpc, ({ service }) => {
      const list = store.list(checkedService(service));
      if (!list.known) throw unknownService(service);
      return upstreamListToWire(list);
    }),
    serverStreamRoute(watchUpstreamsRpc, ({ service }, { signal }) =>
      messages(hub.watch(checkedService(service), signal)),
    ),
    unaryRoute(registerRpc, async (request) =>
      leaseToWire(await store.register(registrationFromWire(request))),
    ),
    unaryRoute(keepAliveRpc, async ({ leaseId }) => leaseToWire(await store.keepAlive(leaseId))),
    unaryRoute(deregisterRpc, async ({ leaseId }) => {
      await store.deregister(leaseId);
      return {};
    }),
    unaryRoute(setWeightRpc, (request) => store.setWeight(weightSettingFromWire(request))),
    unaryRoute(setTrafficRpc, async (request) => ({
      version: await store.setTraffic(trafficSettingFromWire(request)),
    })),
  ];
}

async function* messages(
  lists: AsyncIterable<UpstreamList>,
): AsyncIterable<ReturnType<typeof upstreamListToWire>> {
  for await (const list of lists) yield upstreamListToWire(list);
}

/** The error of a service that has never registered; its gRPC code is NOT_FOUND, as the proto says. */
export function unknownService(service: string): Error {
  return servingError(
    "UNKNOWN_SERVICE",
    `service is "${service}", which no instance has ever registered`,
  );
}
