import {
  type DoorName,
  type Invocation,
  isSequence,
  type Outcome,
  outcomeInPieces,
} from "../core/invocation.js";
import { abandonPieces, wrapPieces } from "../core/pieces.js";
import type { Clock, Logger } from "../core/ports.js";
import { reasonNotToBegin } from "../core/reason-not-to-begin.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { hostStopping } from "../core/stop-errors.js";
import { TimeLimit } from "../core/time-limit.js";
import type { CallSeries, Invoker } from "../door/invoker.js";
import type { LanePool, Place } from "../lane/lane-pool.js";
import { Admission, type AdmissionLimits, type AdmissionPorts, notReady } from "./admission.js";
import type { CallMetrics } from "./call-metrics.js";
import { isHostFailure } from "./host-failure.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { LoadMeter } from "./load-meter.js";
import { wrongService } from "./wrong-service.js";

/** What of a host's options its intake goes by. */
export type CallIntakeOptions = AdmissionLimits &
  Pick<
    ResolvedHostOptions,
    "service" | "requestTimeoutMs" | "streamIdleTimeoutMs" | "limits" | "loadReport"
  >;

/** What an intake works with. */
export interface CallIntakePorts extends Omit<AdmissionPorts, "onAdmitted"> {
  readonly logger: Logger;
  readonly metrics: CallMetrics;
}

/** Takes the calls of every door: lets them in or refuses them, runs them in the lanes, counts them. */
export class CallIntake implements Invoker {
  readonly clock: Clock;
  readonly requestTime: TimeLimit;
  readonly pieceTime: TimeLimit;
  readonly maxMessageBytes: number;
  readonly metrics: CallMetrics;
  readonly admission: Admission;
  readonly load: LoadMeter | undefined;
  readonly #options: CallIntakeOptions;
  readonly #pool: LanePool;
  readonly #logger: Logger;
  /** Calls that wait or run. */
  readonly #accepted = new Set<Invocation>();
  /** Why no call is let in; undefined while calls are. */
  #shut: "NOT_READY" | "DRAINING" | undefined = "NOT_READY";

  constructor(options: CallIntakeOptions, pool: LanePool, ports: CallIntakePorts) {
    this.clock = ports.clock;
    this.metrics = ports.metrics;
    this.maxMessageBytes = options.limits.maxMessageBytes;
    this.requestTime = new TimeLimit(options.requestTimeoutMs, ports.clock);
    this.pieceTime = new TimeLimit(options.streamIdleTimeoutMs, ports.clock);
    this.admission = new Admission(options, pool, {
      ...ports,
      onAdmitted: (_, waitedMs) => ports.metrics.queued(waitedMs),
    });
    this.load = options.loadReport ? new LoadMeter(ports.clock, pool) : undefined;
    this.#options = options;
    this.#pool = pool;
    this.#logger = ports.logger;
  }

  /** Calls that wait or run now. */
  get accepted(): number {
    return this.#accepted.size;
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

  series(door: DoorName, method: string): CallSeries {
    return this.metrics.series(door, method);
  }

  refusal(invocation: Invocation, bodiesAhead?: number): ServingError | undefined {
    // What is quarantined is known by its body.
    return this.#turnedAway(invocation) ?? this.admission.refusal(invocation, bodiesAhead);
  }

  async invoke(invocation: Invocation): Promise<Outcome> {
    const refusal = this.#turnedAway(invocation) ?? this.#pool.refusal(invocation);
    if (refusal !== undefined) throw refusal;
    this.#accepted.add(invocation);
    this.load?.entered(this.clock.now());
    let place: Place | undefined;
    let runsSinceMs = 0;
    try {
      const entering = this.admission.enter(invocation);
      if (entering instanceof Promise) {
        place = await entering;
        // Others may have run, for long or giving this call up, between the giving of the place and this line; and copies
        // of this request may have ended lanes while it waited.
        const over = reasonNotToBegin(invocation, this.clock) ?? this.#pool.refusal(invocation);
        if (over !== undefined) throw over;
      } else place = entering;
      runsSinceMs = this.clock.now();
      const outcome = await place.run(invocation);
      this.#check(invocation, outcome);
      const { payloads } = outcome;
      if (isSequence(payloads)) {
        // A call that answers in pieces is in progress until its last piece, or until nobody reads on.
        const ended = (): void => this.#left(invocation, place, runsSinceMs);
        const failed = (thrown: unknown): ServingError => this.#failed(ServingError.from(thrown));
        return outcomeInPieces(wrapPieces(payloads, { ended, failed }), outcome.status, outcome);
      }
      this.#left(invocation, place, runsSinceMs);
      return outcome;
    } catch (thrown) {
      if (place !== undefined) this.#failed(ServingError.from(thrown));
      this.#left(invocation, place, runsSinceMs);
      throw thrown;
    }
  }

  #turnedAway(invocation: Invocation): ServingError | undefined {
    if (this.#shut === "DRAINING") return hostStopping();
    if (this.#shut === "NOT_READY") return notReady();
    const { handler, service } = invocation;
    return handler === "function" ? undefined : wrongService(service, this.#options.service);
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

  #failed(error: ServingError): ServingError {
    if (isHostFailure(error)) this.load?.failed();
    return error;
  }

  #left(invocation: Invocation, place: Place | undefined, runsSinceMs: number): void {
    this.#accepted.delete(invocation);
    this.load?.left(this.clock.now(), runsSinceMs > 0);
    if (place === undefined) return;
    // 0 is a call that was given up between the giving of its place and its start.
    if (runsSinceMs > 0) this.metrics.ran(this.clock.now() - runsSinceMs);
    this.admission.leave(place);
  }
}
