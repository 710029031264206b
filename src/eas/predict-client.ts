import type { TokenSource } from "../client/client-options.js";
import { type ClientMetrics, noClientMetrics } from "../client/metrics/client-metrics.js";
import { clientMetricsText, type MetricsPage } from "../client/metrics/client-metrics-text.js";
import type { CompressionName } from "../compression/body-codec.js";
import { CallError, servingError } from "../core/serving-error.js";
import type { ClientTls } from "../transport/transport.js";
import type { EndpointType } from "./endpoint-type.js";
import { PredictChannel } from "./predict-channel.js";
import type { PredictCallOptions, PredictClientOptions } from "./predict-client-options.js";
import { checkHeaders, type PredictHeaders } from "./predict-headers.js";
import { checkRequest, type PredictRequest } from "./predict-request.js";
import { predictRoute } from "./predict-route.js";
import type { PredictQuery } from "./request-target.js";
import { resolvePredictClientOptions } from "./resolve-predict-client-options.js";

/**
 * Calls a service of EAS, or a host of the kit, by EAS's protocol: finds the instances, sends every call to one of them by
 * weight, and tries again elsewhere when that is safe.
 *
 * The setters have the names of the EAS SDKs; each sets the option of its name, before `init` or the first call. An idle
 * client does not keep the process alive.
 *
 * @example
 * ```ts
 * const client = new PredictClient("http://pai-eas-vpc.cn-shanghai.aliyuncs.com", "mnist_saved_model_example");
 * client.setToken("M2FhNjJl****");
 * client.setEndpointType(ENDPOINT_TYPE_DIRECT);
 * await client.init();
 * const answer = await client.predict(new StringRequest("[{}]"));
 * await client.close();
 * ```
 */
export class PredictClient implements AsyncDisposable {
  #endpoint: string;
  #service: string;
  #options: PredictClientOptions;
  #channel: PredictChannel | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param endpoint - base address, such as `http://HOST`; for the type DIRECT that of one or more discovery services,
   * comma-separated; for VIPSERVER a domain
   * @param service - `NAME` or `group.NAME`; a path behind it is put before the request path
   * @throws ConfigError for an option that makes no sense. What endpoint and service say together is looked at by `init`.
   */
  constructor(endpoint = "", service = "", options: PredictClientOptions = {}) {
    this.#endpoint = endpoint;
    this.#service = service;
    resolvePredictClientOptions(options);
    this.#options = options;
  }

  /** Sets the base address. @throws ConfigError after `init` or the first call, as all setters do. */
  setEndpoint(endpoint: string): void {
    this.#checkSettable("setEndpoint");
    this.#endpoint = endpoint;
  }

  /** Sets the service's name. */
  setServiceName(service: string): void {
    this.#checkSettable("setServiceName");
    this.#service = service;
  }

  /** Sets `token`. */
  setToken(token: TokenSource): void {
    this.#set("setToken", { token });
  }

  /** Sets `endpointType`. */
  setEndpointType(endpointType: EndpointType): void {
    this.#set("setEndpointType", { endpointType });
  }

  /** Sets `timeoutMs`: the time of a call with all its attempts, in milliseconds. */
  setTimeout(timeoutMs: number): void {
    this.#set("setTimeout", { timeoutMs });
  }

  /** Sets `retryCount`: attempts in all. */
  setRetryCount(retryCount: number): void {
    this.#set("setRetryCount", { retryCount });
  }

  /** Adds to `headers`; one of the same name is replaced. */
  addHeaders(headers: PredictHeaders): void {
    const known = checkHeaders(this.#options.headers ?? {}, "headers");
    this.#set("addHeaders", { headers: { ...known, ...checkHeaders(headers, "headers") } });
  }

  /** Sets `contentType`. */
  setContentType(contentType: string): void {
    this.#set("setContentType", { contentType });
  }

  /** Sets `path`: what follows the service's name in the URL. */
  setRequestPath(path: string): void {
    this.#set("setRequestPath", { path });
  }

  /** Sets `query`: parameters of the URL. */
  setQuery(query: PredictQuery): void {
    this.#set("setQuery", { query });
  }

  /** Sets `url`: where every call goes, whatever endpoint and service are. */
  setUrl(url: string): void {
    this.#set("setUrl", { url });
  }

  /** Sets `compress`: how bodies are compressed. */
  setCompress(compress: CompressionName | undefined): void {
    this.#set("setCompress", { compress });
  }

  /** Sets `decompress`: how answers are compressed. */
  setDecompress(decompress: CompressionName | false | undefined): void {
    this.#set("setDecompress", { decompress });
  }

  /** Sets `idempotent`: whether doing the work twice is harmless. */
  setIdempotent(idempotent: boolean): void {
    this.#set("setIdempotent", { idempotent });
  }

  /** Sets `tls`. */
  setTls(tls: boolean | ClientTls): void {
    this.#set("setTls", { tls });
  }

  /** Sets `signed`: whether requests are signed with the token instead of carrying it. */
  setSigned(signed: boolean): void {
    this.#set("setSigned", { signed });
  }

  /**
   * Begins to look for instances, and waits for the first list, not for connections. Calls do so by themselves; calling it
   * again does no harm.
   *
   * @throws ConfigError when endpoint and service cannot be read or contradict each other.
   * @throws DiscoveryError with what the source said last, or `LIST_TIMEOUT`; the client goes on looking.
   * @throws CallError `CLIENT_CLOSED`
   */
  async init(): Promise<void> {
    const { core } = this.#open();
    await core.firstList(core.policy.firstListTimeoutMs, undefined);
  }

  /**
   * Makes one call.
   *
   * @param request - encoded once, whatever the number of attempts
   * @returns what the request makes of the body of a 200
   * @throws CallError when there is no such answer: with reason, `attempts` and, when an instance answered, `httpStatus` and
   * `body`. `ANSWER_MALFORMED` for a 200 that cannot be read.
   * @throws ConfigError for what is no request, for call options that make no sense, and as `init` does; the signal's reason when
   * that is aborted.
   */
  async predict<R>(request: PredictRequest<R>, options?: PredictCallOptions): Promise<R> {
    return await this.#open().predict(checkRequest(request), options);
  }

  /** What the client's calls have gone through so far, and how it stands now; all of it 0 before `init` or the first call. */
  metrics(): ClientMetrics {
    return this.#channel?.core.readMetrics() ?? noClientMetrics(this.#service);
  }

  /** The same in Prometheus's text format; for several clients on one page there is `clientMetricsText` of `inferwire/client`. */
  metricsText(): Promise<MetricsPage> {
    return clientMetricsText([this]);
  }

  /** Ends calls under way with `CLIENT_CLOSED`, stops looking and closes the connections; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#channel?.core.close() ?? Promise.resolve();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): PredictChannel {
    if (this.#closing !== undefined) throw new CallError("CLIENT_CLOSED", "the client was closed");
    if (this.#channel === undefined) {
      const options = resolvePredictClientOptions(this.#options);
      const route = predictRoute(this.#endpoint, this.#service, options);
      this.#channel = new PredictChannel(route, options);
    }
    return this.#channel;
  }

  #set(setter: string, change: PredictClientOptions): void {
    this.#checkSettable(setter);
    const options = { ...this.#options, ...change };
    resolvePredictClientOptions(options);
    this.#options = options;
  }

  #checkSettable(setter: string): void {
    if (this.#channel === undefined && this.#closing === undefined) return;
    const when = this.#closing === undefined ? "init() or the first predict()" : "close()";
    throw servingError("INVALID_OPTION", `${setter}() after ${when}, expected before`);
  }
}
