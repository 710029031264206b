import type { RpcDefinition } from "../core/rpc-definition.js";
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
  upstreamDifferenceToWire,
  upstreamListToWire,
  type WatchUpstreamsRequest,
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
import type { WatchHub, WatchUpdate } from "./watch-hub.js";

/** Paths of the methods that change something. */
export const writingPaths: ReadonlySet<string> = new Set(
  [registerRpc, keepAliveRpc, deregisterRpc, setWeightRpc, setTrafficRpc].map(({ path }) => path),
);

/** The watch with answers that are messages already: one message for all who are told the same. */
const encodedWatchRpc: RpcDefinition<WatchUpstreamsRequest, Uint8Array> = {
  ...watchUpstreamsRpc,
  encodeResponse: (message) => message,
  decodeResponse: (bytes) => bytes,
};

/** Makes the routes of `UpstreamService`. */
export function upstreamRoutes(store: DirectoryStore, hub: WatchHub): readonly RpcRoute[] {
  const encode = createUpdateEncoder();
  return [
    unaryRoute(listServicesRpc, () => ({ services: [...store.services()] })),
    unaryRoute(listUpstreamsRpc, ({ service }) => {
      const list = store.list(checkedService(service));
      if (!list.known) throw unknownService(service);
      return upstreamListToWire(list);
    }),
    serverStreamRoute(encodedWatchRpc, ({ service, differences }, { signal }) =>
      messages(hub.watch(checkedService(service), { signal, differences }), encode),
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
  updates: AsyncIterable<WatchUpdate>,
  encode: (update: WatchUpdate) => Uint8Array,
): AsyncIterable<Uint8Array> {
  for await (const update of updates) yield encode(update);
}

function createUpdateEncoder(): (update: WatchUpdate) => Uint8Array {
  const messages = new WeakMap<WatchUpdate, Uint8Array>();
  return (update) => {
    let message = messages.get(update);
    if (message === undefined) {
      const { list, change } = update;
      message = watchUpstreamsRpc.encodeResponse(
        change === undefined
          ? upstreamListToWire(list)
          : upstreamDifferenceToWire(list, change.since, change.difference),
      );
      messages.set(update, message);
    }
    return message;
  };
}

/** The error of a service that has never registered; its gRPC code is NOT_FOUND, as the proto says. */
export function unknownService(service: string): Error {
  return servingError(
    "UNKNOWN_SERVICE",
    `service is "${service}", which no instance has ever registered`,
  );
}
