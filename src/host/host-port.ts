import type { HostState, HostView } from "../builtin/host-view.js";
import { BUILTIN_PREFIX, builtins } from "../builtin/registry.js";
import { CallAbort } from "../core/call-abort.js";
import { isLoopback } from "../core/endpoint.js";
import { addressText } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import { builtinRoutes } from "../door/builtin-grpc.js";
import { countedRoute } from "../door/counted-route.js";
import { type HealthView, healthRoutes } from "../door/health-door.js";
import { seriesByDoor } from "../door/invoker.js";
import { predictRoutes } from "../door/predict-door.js";
import { type ReflectionView, reflectionRoutes } from "../door/reflection-door.js";
import { typedRoutes } from "../door/typed-door.js";
import type { AnyProcessor } from "../processor/processor.js";
import { createCors } from "../server/cors.js";
import type { Port, PortOptions } from "../server/port.js";
import type { RpcRoute } from "../server/rpc.js";
import type { WebCallOwner } from "../server/web/web-call.js";
import { createWebDoor } from "../server/web/web-door.js";
import { builtinHead } from "../wire/builtin.js";
import { createAccess, type HostGuards } from "./access.js";
import { type BodyDecoders, createBodyDecoders } from "./body-decoders.js";
import type { CallIntake } from "./call-intake.js";
import { createHostMetrics } from "./host-metrics.js";
import type { ResolvedHostOptions } from "./host-options.js";
import type { StateCell } from "./host-state.js";
import { createHttpRoutes, httpRouteTexts } from "./http-routes.js";
import { countUnanswered, observedAccess, type RefusalCounting } from "./observed-access.js";

/** What a host's port is opened with. */
export interface HostPortParts {
  readonly processor: AnyProcessor;
  readonly options: ResolvedHostOptions;
  readonly guards: HostGuards;
  readonly state: StateCell;
  readonly view: HostView;
  readonly intake: CallIntake;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly openPort: OpenPort;
}

/** Opens a port. */
export type OpenPort = (options: PortOptions) => Promise<Port>;

/** The port of a host, and all that it answers. */
export interface HostPort {
  readonly port: Port;
  /** One line a route: `gRPC /package.Service/Method`, `GET /readyz`. */
  readonly routes: readonly string[];
}

/**
 * Binds the port of a host and hangs its doors into it.
 *
 * @throws HostError `ADDRESS_IN_USE`.
 */
export async function openHostPort(parts: HostPortParts): Promise<HostPort> {
  const { processor, options, view, intake, clock, logger } = parts;
  const { endpoint, tls, limits, otherPaths, token, cors } = options;
  const calls = intake.metrics;
  const rpcRoutes = rpcRoutesOf(parts);
  const takesBytes = processor.process !== undefined;
  const tensors = processor.tensorSide;
  const decoders = await createBodyDecoders(options);
  const web = createWebDoor({
    routes: rpcRoutes,
    limits,
    clock,
    descriptorSets: descriptorSetsOf(processor),
    decode: digests(decoders),
  });
  const counting: RefusalCounting = { calls, web, clock };
  const port = await parts.openPort({
    endpoint,
    tls,
    limits,
    rpcRoutes,
    http: createHttpRoutes({
      view,
      invoker: intake,
      web,
      takesBytes,
      tensors,
      otherPaths,
      service: options.service,
      decoders,
      metrics: createHostMetrics({
        view,
        calls,
        rpcHeads: rpcRoutes,
        samples: () => view.samples.latest,
      }),
      refused: (request, error) => countUnanswered(counting, request, error),
    }),
    authorize: observedAccess(createAccess(options, Date.now, parts.guards), counting),
    errorReply: (head, error) => web.errorReply(head, error),
    cors: cors && createCors(cors, takesPages),
    onClosed: () => web.close(),
    clock,
    logger,
  });
  const address = addressText(port.address.host, port.address.port);
  logger.info({ address, tls: tls !== undefined }, "port bound");
  if (token === undefined && !isLoopback(endpoint.host)) {
    logger.warn(
      { address },
      "bound beyond loopback without a token: anybody who reaches it may call it",
    );
  }
  const routes = [
    ...rpcRoutes.map(rpcRouteText),
    ...httpRouteTexts({ takesBytes, tensors, otherPaths }),
  ];
  return { port, routes };
}

/** What asks for health names a service and nothing else; anybody may ask where no token is wanted for it. */
const MAX_OWN_JSON_BYTES = 4_096;

/** Paths of the builtins over gRPC and the protocols of the web. */
const builtinPaths: ReadonlySet<string> = new Set(
  builtins.flatMap(({ methods }) => methods.map(({ name }) => builtinHead(name).path)),
);

/** Whether a path may be called by pages of other origins: builtins never, whatever they are called by. */
function takesPages(path: string): boolean {
  return !path.startsWith(BUILTIN_PREFIX) && !builtinPaths.has(path);
}

/** Bodies of methods come as they are, but for their digest. */
function digests({ builtins: check }: BodyDecoders): WebCallOwner["decode"] {
  if (check === undefined) return undefined;
  return (body, request) =>
    check(body, { request, abort: new CallAbort(), refusal: () => undefined });
}

/** A method as lists of routes have it, with the protocols that carry its kind. */
function rpcRouteText({ path, requestStream }: RpcRoute): string {
  return requestStream ? `gRPC ${path}` : `gRPC, gRPC-Web, Connect ${path}`;
}

function rpcRoutesOf(parts: HostPortParts): readonly RpcRoute[] {
  const { processor, options, view, intake, clock } = parts;
  const own = options.service === "" ? [] : [options.service];
  const services = (): readonly string[] => servicesOf(routes);
  const ownAnswers = [
    ...builtinRoutes(view),
    ...[
      ...healthRoutes(observed(parts, () => [...services(), ...own])),
      ...reflectionRoutes(observed(parts, services)),
    ].map((route) => ({ ...route, maxJsonBytes: MAX_OWN_JSON_BYTES })),
  ];
  const routes: readonly RpcRoute[] = [
    ...(processor.process === undefined ? [] : predictRoutes(intake)),
    ...typedRoutes(intake, processor.rpcs ?? []),
    ...ownAnswers.map((route) =>
      countedRoute(
        route,
        seriesByDoor((door) => intake.metrics.ownSeries(door, route.path)),
        clock,
      ),
    ),
  ];
  return routes;
}

function servicesOf(routes: readonly RpcRoute[]): readonly string[] {
  return [...new Set(routes.map(({ path }) => path.split("/")[1] ?? ""))];
}

function observed(
  { processor, state }: HostPortParts,
  services: () => readonly string[],
): HealthView & ReflectionView {
  return {
    get state(): HostState {
      return state.current;
    },
    onChange: (listener) => state.onChange(listener),
    get services() {
      return services();
    },
    descriptorSets: descriptorSetsOf(processor),
  };
}

/** Descriptor sets of the services that are not the kit's own. */
function descriptorSetsOf({ descriptorSet }: AnyProcessor): readonly Uint8Array[] {
  return descriptorSet === undefined ? [] : [descriptorSet];
}
