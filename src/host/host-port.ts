import type { HostState, HostView } from "../builtin/host-view.js";
import { isLoopback } from "../core/endpoint.js";
import { addressText } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import { builtinRoutes } from "../door/builtin-grpc.js";
import { countedRoute } from "../door/counted-route.js";
import { type HealthView, healthRoutes } from "../door/health-door.js";
import { predictRoutes } from "../door/predict-door.js";
import { type ReflectionView, reflectionRoutes } from "../door/reflection-door.js";
import { typedRoutes } from "../door/typed-door.js";
import type { AnyProcessor } from "../processor/processor.js";
import { openPort, type Port } from "../server/port.js";
import type { RpcRoute } from "../server/rpc.js";
import { createAccess } from "./access.js";
import { createBodyDecoders } from "./body-decoders.js";
import type { CallIntake } from "./call-intake.js";
import { createHostMetrics } from "./host-metrics.js";
import type { ResolvedHostOptions } from "./host-options.js";
import type { StateCell } from "./host-state.js";
import { createHttpRoutes, httpRouteTexts } from "./http-routes.js";
import { countUnanswered, observedAccess } from "./observed-access.js";

/** What a host's port is opened with. */
export interface HostPortParts {
  readonly processor: AnyProcessor;
  readonly options: ResolvedHostOptions;
  readonly state: StateCell;
  readonly view: HostView;
  readonly intake: CallIntake;
  readonly clock: Clock;
  readonly logger: Logger;
}

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
  const { endpoint, tls, limits, otherPaths, token } = options;
  const calls = intake.metrics;
  const rpcRoutes = rpcRoutesOf(parts);
  const takesBytes = processor.process !== undefined;
  const tensors = processor.tensorSide;
  const decoders = await createBodyDecoders(options);
  const port = await openPort({
    endpoint,
    tls,
    limits,
    rpcRoutes,
    http: createHttpRoutes({
      view,
      invoker: intake,
      rpcPaths: new Set(rpcRoutes.map((route) => route.path)),
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
      refused: (request, error) => countUnanswered(calls, request, error),
    }),
    authorize: observedAccess(createAccess(options, Date.now), calls, clock),
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
    ...rpcRoutes.map(({ path }) => `gRPC ${path}`),
    ...httpRouteTexts({ takesBytes, tensors, otherPaths }),
  ];
  return { port, routes };
}

function rpcRoutesOf(parts: HostPortParts): readonly RpcRoute[] {
  const { processor, options, view, intake, clock } = parts;
  const own = options.service === "" ? [] : [options.service];
  const services = (): readonly string[] => servicesOf(routes);
  const ownAnswers = [
    ...builtinRoutes(view),
    ...healthRoutes(observed(parts, () => [...services(), ...own])),
    ...reflectionRoutes(observed(parts, services)),
  ];
  const routes: readonly RpcRoute[] = [
    ...(processor.process === undefined ? [] : predictRoutes(intake)),
    ...typedRoutes(intake, processor.rpcs ?? []),
    ...ownAnswers.map((route) => countedRoute(route, intake.metrics.ownSeries(route.path), clock)),
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
  const { descriptorSet } = processor;
  return {
    get state(): HostState {
      return state.current;
    },
    onChange: (listener) => state.onChange(listener),
    get services() {
      return services();
    },
    descriptorSets: descriptorSet === undefined ? [] : [descriptorSet],
  };
}
