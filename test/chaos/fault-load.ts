import { Counts } from "../../src/cli/chaos/report.js";
import { keepRate } from "../support/pace.js";
import { type Deed, type Order, orderTo } from "./order.js";
import { WireClient, type WireEnd } from "./wire-client.js";

const PER_SECOND = 100;

/** Up to which part of the load a call is of a kind, and the longest that its work takes. */
const mix: readonly (readonly [upTo: number, deed: Deed, longestMs: number])[] = [
  [0.4, "echo", 0],
  [0.8, "wait", 40],
  [1, "pieces", 40],
];

/** A lane that computes for so long is busy and healthy. */
const SPIN_MS = 600;
/** One call in so many spins. */
const SPIN_ONE_IN = 300;
const SHORTEST_DEADLINE_MS = 30;
const LONGEST_DEADLINE_MS = 4_000;

/** The load under which lanes are hurt: calls of all kinds with random deadlines, so many a second whatever happens. */
export class FaultLoad {
  readonly outcomes: Counts = new Counts();
  /** How long the calls that outlived their deadline did so, in milliseconds. */
  readonly overrunsMs: number[] = [];
  /** When a lane first gave an answer, by its process id. */
  readonly firstAnswerMs: Map<number, number> = new Map();
  readonly #client: WireClient;
  readonly #random: () => number;
  readonly #open = new Map<number, Promise<void>>();
  readonly #ended: Promise<void>;
  #heard: (end: WireEnd) => void = () => {};
  #stopped = false;

  constructor(port: number, random: () => number) {
    this.#client = new WireClient(port, 2);
    this.#random = random;
    this.#ended = keepRate(
      PER_SECOND,
      () => !this.#stopped,
      () => this.give(this.#ordinary()),
    );
  }

  /** Gives an order with a random deadline. */
  give(order: Order): void {
    const ratio = LONGEST_DEADLINE_MS / SHORTEST_DEADLINE_MS;
    const timeoutMs = SHORTEST_DEADLINE_MS * ratio ** this.#random();
    const call = this.#client.call(order, { timeoutMs });
    this.#open.set(
      order.id,
      call.ended.then((end) => this.#end(end)),
    );
  }

  /** Whether an order has not ended yet. */
  isOpen(id: number): boolean {
    return this.#open.has(id);
  }

  /** Tells of every call that ends. One listener. */
  onEnd(listener: (end: WireEnd) => void): void {
    this.#heard = listener;
  }

  /** Begins no more calls, and waits for those that are under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    await Promise.all(this.#open.values());
    this.#client.close();
  }

  #ordinary(): Order {
    if (this.#random() < 1 / SPIN_ONE_IN) return orderTo("spin", SPIN_MS);
    const part = this.#random();
    const [, deed, longestMs] = mix.find(([upTo]) => part < upTo) ?? [0, "echo" as const, 0];
    return orderTo(deed, this.#random() * longestMs);
  }

  #end(end: WireEnd): void {
    this.outcomes.add(end.outcome);
    const overrunMs = end.endedMs - end.beganMs - end.timeoutMs;
    if (overrunMs > 0) this.overrunsMs.push(overrunMs);
    const pid = end.answer?.pid;
    if (pid !== undefined && !this.firstAnswerMs.has(pid)) {
      this.firstAnswerMs.set(pid, end.endedMs);
    }
    this.#heard(end);
    this.#open.delete(end.order.id);
  }
}
