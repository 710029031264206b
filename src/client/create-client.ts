import {
  type Client,
  type ClientMiddleware,
  type CompatServiceDefinition,
  createClientFactory,
} from "nice-grpc";
import { fillOptions, seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { CallExtras } from "./call-context.js";
import { asGrpcChannel, ChannelFacade } from "./channel-facade.js";
import { type CallMethod, contextMiddleware, wrapMethod } from "./client-method.js";
import type { ClientOnlyOptions, ClientOptions } from "./client-options.js";
import { methodTable } from "./method-table.js";
import { coreOf, openChannel, type ServiceChannel } from "./service-channel.js";

/** Options of {@link createClient} for a client on a channel that it shares; closing the client leaves it open. */
export interface SharedChannelOptions<Ext = object> extends ClientOnlyOptions<Ext> {
  readonly channel: ServiceChannel;
}

/** A nice-grpc client of a service, to be closed when it is no longer needed. */
export type ServiceClient<D extends CompatServiceDefinition, Ext = object> = Client<
  D,
  CallExtras & Partial<Ext>
> &
  AsyncDisposable;

/**
 * Makes a typed client that finds the instances of a service by itself, sends every call to one of them by weight, and
 * tries again elsewhere when that is safe.
 *
 * It is a nice-grpc client: unary and client-streaming methods return promises, the others async iterables, and all take
 * nice-grpc's call options besides {@link CallExtras}. Nothing connects before the first call, and an idle client does not
 * keep the process alive.
 *
 * Methods fail with a CallError. Two things come out as they are: what nice-grpc rejects with when the call's own `signal` is
 * aborted (promises with the signal's reason, streams with an AbortError), and what the app's own middleware or request
 * iterable throws. Middleware sees nice-grpc's ClientError, as middleware expects to.
 *
 * @param definition - a service definition as ts-proto, nice-grpc or grpc-js make it
 * @param options - a target and how to call it, or `{ channel }` for a channel that is shared
 * @throws ConfigError for options that make no sense, before anything is opened.
 * @example
 * ```ts
 * await using sentiment = createClient(SentimentServiceDefinition, {
 *   target: "directory://127.0.0.1:8100/sentiment",
 *   timeoutMs: 2_000,
 * });
 * console.log((await sentiment.classify({ text: "a fine day" })).score);
 * ```
 */
export function createClient<D extends CompatServiceDefinition, Ext = object>(
  definition: D,
  options: ClientOptions<Ext> | SharedChannelOptions<Ext>,
): ServiceClient<D, Ext> {
  if (typeof options !== "object" || options === null) {
    throw servingError("INVALID_OPTION", `options is ${seen(options)}, expected an object`);
  }
  return "channel" in options && options.channel !== undefined
    ? clientOn(definition, options)
    : clientOfItsOwn(definition, options as ClientOptions<Ext>);
}

/**
 * Closes a client: its calls under way end with `CLIENT_CLOSED`. The same as `await using`, for code that has no such
 * thing. A shared channel stays open.
 */
export async function closeClient(client: AsyncDisposable): Promise<void> {
  await client[Symbol.asyncDispose]();
}

/** Where a client keeps its channel. */
const channelKey: unique symbol = Symbol("inferwire.channel");

/**
 * The channel of a client, its own or the one that it shares: for `snapshot()`, `ready()`, `metrics()`.
 *
 * @param client - one that `createClient` has made
 * @throws ConfigError `INVALID_OPTION` for anything else.
 * @example
 * ```ts
 * const { text } = await channelOf(sentiment).metricsText();
 * ```
 */
export function channelOf(client: AsyncDisposable): ServiceChannel {
  const { [channelKey]: channel } = client as { readonly [channelKey]?: ServiceChannel };
  if (channel !== undefined) return channel;
  throw servingError("INVALID_OPTION", "client is not one that createClient has made");
}

function clientOfItsOwn<D extends CompatServiceDefinition, Ext>(
  definition: D,
  options: ClientOptions<Ext>,
): ServiceClient<D, Ext> {
  const { methods, middleware, ...channelOptions } = options;
  const channel = openChannel(channelOptions);
  return build(definition, { channel, methods, middleware }, () => channel.close());
}

function clientOn<D extends CompatServiceDefinition, Ext>(
  definition: D,
  options: SharedChannelOptions<Ext>,
): ServiceClient<D, Ext> {
  const { channel } = options;
  const known = { channel, methods: undefined, middleware: undefined };
  fillOptions<{ [K in keyof Required<SharedChannelOptions<Ext>>]: SharedChannelOptions<Ext>[K] }>(
    options,
    known,
    "options beside a channel",
  );
  return build(definition, options, () => Promise.resolve());
}

function build<D extends CompatServiceDefinition, Ext>(
  definition: D,
  options: SharedChannelOptions<Ext>,
  closeChannel: () => Promise<void>,
): ServiceClient<D, Ext> {
  const core = coreOf(options.channel);
  const middleware = checkMiddleware(options.middleware);
  const table = methodTable(definition, options.methods ?? {}, core.policy);
  const facade = new ChannelFacade(core, table);
  // nice-grpc runs what was added last first. Without middleware there is no need for one of ours.
  let factory = createClientFactory();
  if (middleware.length > 0) factory = factory.use(contextMiddleware(facade.announce));
  for (const each of middleware.toReversed()) factory = factory.use(each as ClientMiddleware);
  const inner: Readonly<Record<string, unknown>> = factory.create(
    definition,
    asGrpcChannel(facade),
  );
  const client: Record<string, unknown> = {};
  for (const method of table) {
    const call = inner[method.name] as CallMethod;
    client[method.name] = wrapMethod(call, method, facade.announce, middleware.length > 0);
  }
  Object.defineProperty(client, channelKey, { value: options.channel });
  Object.defineProperty(client, Symbol.asyncDispose, {
    value: () => {
      facade.close();
      return closeChannel();
    },
  });
  return client as ServiceClient<D, Ext>;
}

function checkMiddleware<Ext>(
  middleware: ClientOnlyOptions<Ext>["middleware"],
): readonly ClientMiddleware<Ext, CallExtras>[] {
  if (middleware === undefined) return [];
  if (Array.isArray(middleware) && middleware.every((each) => typeof each === "function")) {
    return middleware;
  }
  throw servingError("INVALID_OPTION", "middleware is no list of functions");
}
