/** What the toy host's processor is told to do; see `programs/toy.mjs`. */
export type Deed =
  | "echo"
  | "wait"
  | "spin"
  | "hang"
  | "exit"
  | "exhaust"
  | "fail"
  | "heap"
  | "pieces"
  | "exit-in-reply";

/** One order. Its id makes each request unlike all others, as a host that quarantines needs it. */
export interface Order {
  readonly id: number;
  readonly do: Deed;
  readonly ms: number;
}

let lastId = 0;

/** Makes an order that has not been given before. */
export function orderTo(deed: Deed, ms = 0): Order {
  lastId++;
  return { id: lastId, do: deed, ms };
}

/** Whether an order is answered in pieces. */
export function inPieces(order: Order): boolean {
  return order.do === "pieces" || order.do === "exit-in-reply";
}

/** What the processor answers with. */
export interface ToyAnswer {
  readonly id: number;
  readonly pid: number;
  readonly heapBytes?: number;
}

/** Reads an answer. */
export function readAnswer(data: Uint8Array): ToyAnswer {
  return JSON.parse(Buffer.from(data).toString()) as ToyAnswer;
}
