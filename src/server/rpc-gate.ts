import type { MetadataSize } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { TimeLimit, type TimeLimited } from "../core/time-limit.js";
import type { ServerLimits } from "./limits.js";
import type { RequestHead } from "./request-head.js";
import type { RpcCall, RpcReader, RpcRoute } from "./rpc.js";
import { endWithError } from "./rpc-errors.js";

/** A call at the gate. */
export interface GatedCall extends RpcCall, RequestHead, TimeLimited {
  readonly path: RpcCall["path"];
  readonly metadata: RpcCall["metadata"];
  readonly peer: RpcCall["peer"];
}

/** What a gate goes by. */
export interface RpcGateOptions {
  readonly limits: ServerLimits;
  readonly routes: readonly RpcRoute[];
  /** Called when the headers of a call are there; an error refuses it. */
  readonly authorize: (head: RequestHead) => ServingError | undefined;
  readonly clock: Clock;
}

/** What every engine does with a call whose headers have arrived: checks them, finds the route, waits for one message. */
export class RpcGate<C extends GatedCall> {
  readonly #options: RpcGateOptions;
  readonly #routes: ReadonlyMap<string, RpcRoute>;
  /** Calls whose single message has not arrived yet. */
  readonly #bodies: TimeLimit;
  readonly #calls = new Set<C>();

  constructor(options: RpcGateOptions) {
    this.#options = options;
    this.#bodies = new TimeLimit(options.limits.bodyTimeoutMs, options.clock);
    this.#routes = new Map(options.routes.map((route) => [route.path, route]));
  }

  /** Calls that were let in and have not ended. */
  get calls(): ReadonlySet<C> {
    return this.#calls;
  }

  routeOf(path: string): RpcRoute | undefined {
    return this.#routes.get(path);
  }

  /** Gives the reader of a call, or ends the call and gives none. */
  accept(call: C, headers: MetadataSize): RpcReader | undefined {
    const route = this.#routes.get(call.path);
    const refusal = this.#headerProblem(headers) ?? this.#options.authorize(call);
    if (refusal !== undefined || route === undefined) {
      endWithError(call, refusal ?? servingError("UNKNOWN_ROUTE", `no method ${call.path}`));
      return undefined;
    }
    if (!route.requestStream) this.#bodies.begin(call);
    this.#calls.add(call);
    return route.accept(call);
  }

  /** The single message of a call has arrived. */
  bodyOver(call: C): void {
    this.#bodies.end(call);
  }

  /** The single message of a call has not arrived in time. */
  bodyLate(call: C): void {
    const text = `the message did not arrive within ${this.#bodies.ms} ms`;
    endWithError(call, servingError("DEADLINE_EXCEEDED", text));
  }

  /** The call has been answered, or is over on the wire; may be told twice. */
  callOver(call: C): void {
    this.#bodies.end(call);
    this.#calls.delete(call);
  }

  /** Stops the timer. */
  close(): void {
    this.#bodies.close();
  }

  #headerProblem({ count, bytes }: MetadataSize): ServingError | undefined {
    const { maxHeaderBytes, maxHeaderCount } = this.#options.limits;
    if (count > maxHeaderCount) {
      return servingError(
        "HEADERS_TOO_LARGE",
        `${count} headers, at most ${maxHeaderCount} are taken`,
      );
    }
    if (bytes > maxHeaderBytes) {
      return servingError(
        "HEADERS_TOO_LARGE",
        `headers are ${bytes} bytes, at most ${maxHeaderBytes} are taken`,
      );
    }
    return undefined;
  }
}
