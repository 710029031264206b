import { createHash } from "node:crypto";
import { keepAmbientCall } from "../client/call/ambient-storage.js";
import { ChannelCore } from "../client/channel-core.js";
import { checkTimeout } from "../client/check-options.js";
import type { TokenSource } from "../client/client-options.js";
import { callOverHttp, type HttpCallAnswer } from "../client/http-call.js";
import { loadCodec } from "../compression/load-codec.js";
import { fillOptions } from "../core/options.js";
import { systemClock } from "../core/ports.js";
import { seededRandom } from "../core/seeded-random.js";
import { ServingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import { createHttpSource } from "../resolve/http-source.js";
import type { Source } from "../resolve/source.js";
import type { SourceOptions } from "../resolve/source-options.js";
import { createStaticSource } from "../resolve/static-source.js";
import { createVipserverSource } from "../resolve/vipserver-source.js";
import { FormatError } from "../tensor/format-error.js";
import { createHttpTransport } from "../transport/http-transport.js";
import { easSignature } from "../wire/eas-signature.js";
import { answerBody } from "./answer-body.js";
import type { PredictCallOptions, ResolvedPredictClientOptions } from "./predict-client-options.js";
import { checkHeaders } from "./predict-headers.js";
import type { PredictRequest } from "./predict-request.js";
import type { PredictRoute } from "./predict-route.js";
import { checkPath, checkQuery, requestTarget } from "./request-target.js";

const callDefaults: { readonly [K in keyof Required<PredictCallOptions>]: undefined } = {
  timeoutMs: undefined,
  idempotent: undefined,
  detached: undefined,
  onReport: undefined,
  signal: undefined,
  headers: undefined,
  path: undefined,
  query: undefined,
};

type CallOptions = { [K in keyof Required<PredictCallOptions>]: PredictCallOptions[K] };

/** The open form of a client: its source and connections, and how calls are made over them. */
export class PredictChannel {
  readonly core: ChannelCore;
  readonly #route: PredictRoute;
  readonly #options: ResolvedPredictClientOptions;
  /** Of calls that say nothing else. */
  readonly #target: string;

  constructor(route: PredictRoute, options: ResolvedPredictClientOptions) {
    keepAmbientCall();
    this.#route = route;
    this.#options = options;
    this.#target = requestTarget({ route, ...options });
    const { logger, seed, policy, maxMessageBytes } = options;
    const { connectTimeoutMs, loadReports } = policy.pool;
    const clock = systemClock;
    const random = seed === undefined ? Math.random : seededRandom(seed);
    const transport = { tls: route.tls, maxMessageBytes, connectTimeoutMs, loadReports, clock };
    this.core = new ChannelCore({
      source: createSource(route.target, { ...options, clock, random }),
      createTransport: (instance) => createHttpTransport(instance, transport),
      clock,
      random,
      logger,
      policy,
    });
  }

  /** Makes one call, with as many attempts as it takes and the policy allows. */
  async predict<R>(
    request: PredictRequest<R>,
    options: PredictCallOptions | undefined,
  ): Promise<R> {
    const begunMs = this.core.clock.now();
    const call = fillOptions<CallOptions>(options, callDefaults, "call options");
    const { compress, policy, idempotent } = this.#options;
    const limitMs =
      call.timeoutMs === undefined ? policy.timeoutMs : checkTimeout(call.timeoutMs, "timeoutMs");
    const path = this.#targetOf(call);
    const headers = this.#headersOf(call);
    const plain = request.encode();
    const body = compress === undefined ? plain : await (await loadCodec(compress)).compress(plain);
    const answer = await callOverHttp(this.core, {
      path,
      headers,
      body,
      token: this.#sign(path, headers, body),
      timeoutMs: Math.max(1, limitMs - (this.core.clock.now() - begunMs)),
      idempotent: call.idempotent ?? idempotent,
      detached: call.detached,
      onReport: call.onReport,
      signal: call.signal,
    });
    return this.#read(request, answer);
  }

  #targetOf({ path, query }: CallOptions): string {
    if (path === undefined && query === undefined) return this.#target;
    const { path: ownPath, query: ownQuery } = this.#options;
    return requestTarget({
      route: this.#route,
      path: path === undefined ? ownPath : checkPath(path, "path"),
      query: query === undefined ? ownQuery : { ...ownQuery, ...checkQuery(query, "query") },
    });
  }

  #headersOf({ headers }: CallOptions): Record<string, string> {
    const own = this.#options.headers;
    return headers === undefined ? { ...own } : { ...own, ...checkHeaders(headers, "headers") };
  }

  /** Adds what is signed to the headers; the signature is over them as they are sent. */
  #sign(
    resource: string,
    headers: Record<string, string>,
    body: Uint8Array,
  ): TokenSource | undefined {
    const token = this.#options.signingToken;
    if (token === undefined) return undefined;
    headers["content-md5"] ??= createHash("md5").update(body).digest("hex");
    headers["date"] ??= new Date().toUTCString();
    const { "content-md5": contentMd5, "content-type": contentType = "", date } = headers;
    const parts = { contentMd5, contentType, date, resource };
    if (typeof token === "string") return easSignature(token, parts);
    return async () => {
      const given = await token();
      // What cannot be sent is refused by whoever would send it, in the same words as without signing.
      return isToken(given) ? easSignature(given, parts) : given;
    };
  }

  async #read<R>(request: PredictRequest<R>, answer: HttpCallAnswer): Promise<R> {
    const { decompress, maxMessageBytes: maxBytes } = this.#options;
    let body: Uint8Array;
    try {
      const { headers, body: sent } = answer;
      body = await answerBody(headers, sent, { decompress, maxBytes });
    } catch (thrown) {
      const { reason, message } = ServingError.from(thrown);
      const tooLarge = reason === "MESSAGE_TOO_LARGE";
      throw answer.unusable(tooLarge ? reason : "ANSWER_MALFORMED", message, thrown);
    }
    try {
      return request.decode(body);
    } catch (thrown) {
      if (!(thrown instanceof FormatError)) throw thrown;
      throw answer.unusable("ANSWER_MALFORMED", thrown.message, thrown);
    }
  }
}

function createSource(target: PredictRoute["target"], options: SourceOptions): Source {
  switch (target.kind) {
    case "static":
      return createStaticSource(target, options);
    case "http":
      return createHttpSource(target, options);
    case "vipserver":
      return createVipserverSource(target, options);
  }
}
