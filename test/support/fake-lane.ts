import type { Invocation, Outcome } from "../../src/core/invocation.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import type { Clock } from "../../src/core/ports.js";
import { type ServingError, servingError } from "../../src/core/serving-error.js";
import type { Lane, LaneFactory } from "../../src/lane/lane.js";

interface OpenCall {
  readonly invocation: Invocation;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

/** A lane that does what a test says. */
export class FakeLane implements Lane {
  readonly kind: Lane["kind"] = "process";
  readonly index: number;
  readonly pid: number;
  readonly died: Promise<ServingError>;
  readonly #clock: Clock;
  #markDied: (reason: ServingError) => void = () => {};
  #askedMs: number | undefined;
  /** Whether it answers pings. */
  hears = true;
  checksReady = false;
  /** What `isReady` answers; "never" for no answer. */
  ready: boolean | "never" = true;
  /** Times that `isReady` was asked. */
  questions = 0;
  /** What `start` does. */
  begins: "at once" | "never" | Error = "at once";
  readonly calls: OpenCall[] = [];
  readonly told: string[] = [];
  properties: ReadonlyMap<string, string> | undefined;
  closed: number | undefined;
  killed: ServingError | undefined;

  constructor(index: number, pid: number, clock: Clock) {
    this.index = index;
    this.pid = pid;
    this.#clock = clock;
    this.died = new Promise((resolve) => {
      this.#markDied = resolve;
    });
  }

  get silentMs(): number {
    return this.#askedMs === undefined ? 0 : this.#clock.now() - this.#askedMs;
  }

  start(): Promise<void> {
    if (this.begins instanceof Error) return Promise.reject(this.begins);
    if (this.begins === "at once") return Promise.resolve();
    return new Promise((_, reject) => void this.died.then(reject));
  }

  run(invocation: Invocation): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.calls.push({ invocation, resolve, reject });
    });
  }

  /** Answers the call that has been waiting longest. */
  answer(payloads: Outcome["payloads"] = new Uint8Array(0)): void {
    const call = this.calls.shift();
    call?.resolve({ payloads, status: 0, headers: emptyMetadata, trailers: emptyMetadata });
  }

  isReady(): Promise<boolean> {
    this.questions++;
    return this.ready === "never" ? new Promise(() => {}) : Promise.resolve(this.ready);
  }

  tell(message: Uint8Array): void {
    this.told.push(Buffer.from(message).toString());
  }

  setProperties(values: ReadonlyMap<string, string>): void {
    this.properties = values;
  }

  ask(): void {
    if (!this.hears) this.#askedMs ??= this.#clock.now();
  }

  /** Answers what it was asked. */
  wake(): void {
    this.hears = true;
    this.#askedMs = undefined;
  }

  close(graceMs: number): Promise<void> {
    this.closed = graceMs;
    return Promise.resolve();
  }

  kill(reason: ServingError): void {
    this.killed = reason;
    this.die(reason);
  }

  die(reason: ServingError = servingError("LANE_DIED", "the lane was ended by SIGSEGV")): void {
    for (const call of this.calls.splice(0)) call.reject(reason);
    this.#markDied(reason);
  }
}

/** Makes fake lanes and keeps all of them, in order of their making. */
export function fakeLanes(
  clock: Clock,
  prepare: (lane: FakeLane, lanes: readonly FakeLane[]) => void = () => {},
): { readonly made: FakeLane[]; readonly lanes: LaneFactory } {
  const made: FakeLane[] = [];
  return {
    made,
    lanes: (index) => {
      const lane = new FakeLane(index, 100 + made.length, clock);
      made.push(lane);
      prepare(lane, made);
      return lane;
    },
  };
}
