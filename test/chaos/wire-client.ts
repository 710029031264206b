import {
  PredictRequest,
  PredictResponse,
  PredictStreamRequest,
  PredictStreamResponse,
} from "inferwire/proto";
import {
  WireClient as AnyWireClient,
  type WireEnd as AnyWireEnd,
  framed,
  type WireOptions,
} from "../../src/cli/chaos/wire-client.js";
import { pace } from "../support/pace.js";
import { inPieces, type Order, readAnswer, type ToyAnswer } from "./order.js";

/** How the call of an order ended. */
export interface WireEnd extends Omit<AnyWireEnd, "answers"> {
  /** The answer, or the last of its pieces. */
  readonly answer: ToyAnswer | undefined;
  readonly order: Order;
}

/** The call of an order, under way. */
export interface WireCall {
  readonly order: Order;
  readonly beganMs: number;
  /** Always resolves. */
  readonly ended: Promise<WireEnd>;
  /** Resets the stream. */
  cancel(): void;
}

const PATH = "/inferwire.predict.v1.PredictService/";

/** Gives orders to a toy host. */
export class WireClient {
  readonly #client: AnyWireClient;

  constructor(port: number, connections = 1) {
    this.#client = new AnyWireClient(port, pace.clock, connections);
  }

  call(order: Order, options: WireOptions): WireCall {
    const path = `${PATH}${inPieces(order) ? "PredictStream" : "Predict"}`;
    const call = this.#client.call(path, framed(requestOf(order)), options);
    return {
      order,
      beganMs: call.beganMs,
      ended: call.ended.then(({ answers, ...end }) => {
        return { ...end, order, answer: lastAnswer(answers, inPieces(order)) };
      }),
      cancel: () => call.cancel(),
    };
  }

  /** Breaks all connections; the next call opens new ones. */
  close(): void {
    this.#client.close();
  }
}

function requestOf(order: Order): Uint8Array {
  const request = { service: "", path: "", data: Buffer.from(JSON.stringify(order)) };
  const writer = inPieces(order)
    ? PredictStreamRequest.encode(request)
    : PredictRequest.encode(request);
  return writer.finish();
}

function lastAnswer(answers: readonly Uint8Array[], pieces: boolean): ToyAnswer | undefined {
  const message = answers.at(-1);
  if (message === undefined) return undefined;
  const { data } = (pieces ? PredictStreamResponse : PredictResponse).decode(message);
  return readAnswer(data);
}
