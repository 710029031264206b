import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { abandonPieces, wrapPieces } from "../core/pieces.js";
import type { Clock, Logger } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { TimeLimit } from "../core/time-limit.js";
import type { CallSeries, Invoker } from "../door/invoker.js";
import type { Lane } from "../lane/lane.js";
import { type Admission, createAdmission, type Release } from "./admission.js";
import { type CallMetrics, createCallMetrics } from "./call-metrics.js";
import type { ResolvedHostOptions } from "./host-options.js";

/** Takes the calls of every door: lets them in or refuses them, runs them in the lane, counts them. */
export class CallIntake implements Invoker {
  readonly clock: Clock;
  readonly requestTime: TimeLimit;
  readonly pieceTime: TimeLimit;
  readonly metrics: CallMetrics = createCallMetrics();
  readonly admission: Admission;
  readonly #options: ResolvedHostOptions;
  readonly #lane: Lane;
  readonly #logger: Logger;
  /** Calls that wait or run. */
  readonly #accepted = new Set<Invocation>();
  /** Why no call is let in; undefined while calls are. */
  #shut: "NOT_READY" | "DRAINING" | undefined = "NOT_READY";
  #calls = 0;

  constructor(
    options: ResolvedHostOptions,
    lane: Lane,
    ports: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.clock = ports.clock;
    this.requestTime = new TimeLimit(options.requestTimeoutMs, ports.clock);
    this.pieceTime = new TimeLimit(options.streamIdleTimeoutMs, ports.clock);
    this.admission = createAdmission({ ...options, maxRunning: options.workerThreads });
    this.#options = options;
    this.#lane = lane;
    this.#logger = ports.logger;
  }

  /** Calls that wait or run now. */
  get accepted(): number {
    return this.#accepted.size;
  }

  /** Calls that a lane has begun. */
  get calls(): number {
    return this.#calls;
  }

  /** Lets calls in from now on. */
  open(): void {
    this.#shut = undefined;
  }

  /** Refuses new calls from now on; those that are in go on. */
  refuse(): void {
    this.#shut = "DRAINING";
  }

  /** Ends every call that waits or runs. */
  giveUpAll(reason: ServingError): void {
    for (const invocation of [...this.#accepted]) invocation.giveUp(reason);
  }

  /** Stops the timers. */
  close(): void {
    this.requestTime.close();
    this.pieceTime.close();
  }

  series(door: "grpc" | "eas", method: string): CallSeries {
    return this.metrics.series(door, method);
  }

  async invoke(invocation: Invocation): Promise<Outcome> {
    const refusal = this.#refusal(invocation);
    if (refusal !== undefined) throw refusal;
    this.#accepted.add(invocation);
    let leave: Release | undefined;
    try {
      const entering = this.admission.enter(invocation);
      leave = entering instanceof Promise ? await entering : entering;
      this.#calls++;
      const outcome = await this.#lane.run(invocation);
      this.#check(invocation, outcome);
      const { payloads } = outcome;
      if (isSequence(payloads)) return this.#untilRead(invocation, outcome, payloads, leave);
      this.#left(invocation, leave);
      return outcome;
    } catch (thrown) {
      this.#left(invocation, leave);
      throw thrown;
    }
  }

  #refusal({ service }: Invocation): ServingError | undefined {
    if (this.#shut === "DRAINING") return servingError("DRAINING", "the host is stopping");
    if (this.#shut === "NOT_READY") return servingError("NOT_READY", "the host is not ready");
    const own = this.#options.service;
    if (service === "" || own === "" || service === own) return undefined;
    const asked = JSON.stringify(service.slice(0, 80));
    return servingError("UNKNOWN_SERVICE", `no service ${asked} is hosted here, expected "${own}"`);
  }

  #check(invocation: Invocation, { payloads }: Outcome): void {
    const { maxMessageBytes } = this.#options.limits;
    if (!isSequence(payloads)) {
      if (payloads.byteLength <= maxMessageBytes) return;
      throw servingError(
        "MESSAGE_TOO_LARGE",
        `the answer is ${payloads.byteLength} bytes, at most ${maxMessageBytes} go out`,
      );
    }
    if (invocation.takesPieces) return;
    abandonPieces(payloads).catch((err: unknown) =>
      this.#logger.warn({ err }, "the pieces of a refused answer did not end well"),
    );
    throw servingError("STREAM_NEEDED", "this processor answers in pieces: call PredictStream");
  }

  #left(invocation: Invocation, leave: Release | undefined): void {
    this.#accepted.delete(invocation);
    leave?.();
  }

  /** A call that answers in pieces is in progress until its last piece, or until nobody reads on. */
  #untilRead(
    invocation: Invocation,
    outcome: Outcome,
    pieces: AsyncIterable<Uint8Array>,
    leave: Release,
  ): Outcome {
    const ended = (): void => this.#left(invocation, leave);
    return {
      payloads: wrapPieces(pieces, { ended }),
      status: outcome.status,
      get headers() {
        return outcome.headers;
      },
      get trailers() {
        return outcome.trailers;
      },
    };
  }
}
