import { isReason } from "../core/error-catalog.js";
import { type MetadataView, metadataText } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { Status, statusName } from "../core/status.js";
import { REASON_TRAILER } from "../core/trailers.js";
import type { RpcCall, RpcDoorName, RpcReader, RpcRoute, RpcStatus } from "../server/rpc.js";
import { type CallSeries, closedByCaller, type EndedCall, type SeriesByDoor } from "./invoker.js";

/** Counts the calls of a method that the host answers by itself; doors of processors count their own. */
export function countedRoute(route: RpcRoute, series: SeriesByDoor, clock: Clock): RpcRoute {
  return {
    path: route.path,
    requestStream: route.requestStream,
    responseStream: route.responseStream,
    maxJsonBytes: route.maxJsonBytes,
    accept(call) {
      const own = series[call.door];
      const counted = new CountedCall(call, own, clock);
      const reader = route.accept(counted);
      return countedReader(reader, counted, own);
    },
  };
}

function countedReader(reader: RpcReader, call: CountedCall, series: CallSeries): RpcReader {
  return {
    onMessage(message) {
      series.received();
      reader.onMessage(message);
    },
    onHalfClose: () => reader.onHalfClose(),
    onClose(error) {
      call.closed(error);
      reader.onClose(error);
    },
  };
}

class CountedCall implements RpcCall, EndedCall {
  readonly door: RpcDoorName;
  readonly service = "";
  readonly arrivedMs: number;
  /** Read at once: a call that is over no longer knows. */
  readonly peer: string;
  readonly #call: RpcCall;
  readonly #series: CallSeries;
  readonly #clock: Clock;
  #ended = false;

  constructor(call: RpcCall, series: CallSeries, clock: Clock) {
    this.door = call.door;
    this.#call = call;
    this.#series = series;
    this.#clock = clock;
    this.arrivedMs = clock.now();
    this.peer = call.peer;
    series.started();
  }

  get path(): string {
    return this.#call.path;
  }

  get method(): string {
    return this.#call.path;
  }

  get metadata(): MetadataView {
    return this.#call.metadata;
  }

  get deadlineMs(): number {
    return this.#call.deadlineMs;
  }

  read(): void {
    this.#call.read();
  }

  sendHeaders(headers: MetadataView): void {
    this.#call.sendHeaders(headers);
  }

  send(message: Uint8Array, flushed?: () => void): void {
    if (!this.#ended) this.#series.sent();
    this.#call.send(message, flushed);
  }

  end(status: RpcStatus): void {
    this.#count(status.code, status.code === Status.OK ? undefined : errorOf(status));
    this.#call.end(status);
  }

  /** The call is over on the wire, whoever ended it. */
  closed(why: ServingError | undefined): void {
    const error = why ?? closedByCaller(this.#clock.now() >= this.#call.deadlineMs);
    this.#count(error.code, error);
  }

  #count(code: Status, error: ServingError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#series.ended(this, statusName(code), error);
  }
}

/** The error that a status was made of. */
function errorOf({ code, message, trailers }: RpcStatus): ServingError {
  const reason = trailers === undefined ? undefined : metadataText(trailers, REASON_TRAILER);
  return servingError(isReason(reason) ? reason : "INTERNAL", message, { code });
}
