import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Reason } from "../../../src/core/error-catalog.js";
import { Status } from "../../../src/core/status.js";
import type { AttemptEnd } from "../../../src/transport/transport.js";
import { TestCall } from "../../support/client-call.js";
import { type FakeChannel, fakeChannel } from "../../support/client-channel.js";
import {
  type Ending,
  endOf,
  FakeAttempt,
  FakeTransport,
} from "../../support/client-fake-transport.js";
import { type FakeClock, flushPromises } from "../../support/fake-clock.js";
import { fuzz, seeded } from "../balance/fuzz-settings.js";

const { POSITIVE_INFINITY } = Number;

/** How attempts go, drawn one by one from `seed`. */
interface World {
  readonly seed: number;
  readonly instances: number;
  readonly maxAttempts: number;
  readonly hedgeDelayMs: number;
  readonly timeoutMs: number;
  readonly idempotent: boolean;
  readonly responseStream: boolean;
  readonly budget: number;
  /** When the app gives up, and when the channel closes. */
  readonly cancelMs: number;
  readonly closeMs: number;
  readonly tokens: boolean;
}

const worlds: fc.Arbitrary<World> = fc.record({
  seed: fc.integer(),
  instances: fc.integer({ min: 1, max: 5 }),
  maxAttempts: fc.integer({ min: 1, max: 6 }),
  hedgeDelayMs: fc.constantFrom(1, 7, 50, 400, POSITIVE_INFINITY),
  timeoutMs: fc.constantFrom(1, 60, 500, 5_000),
  idempotent: fc.boolean(),
  responseStream: fc.boolean(),
  budget: fc.integer({ min: 0, max: 10 }),
  cancelMs: fc.constantFrom(0, 1, 30, 90, POSITIVE_INFINITY, POSITIVE_INFINITY, POSITIVE_INFINITY),
  closeMs: fc.constantFrom(20, POSITIVE_INFINITY, POSITIVE_INFINITY, POSITIVE_INFINITY),
  tokens: fc.boolean(),
});

const reasons: readonly (Reason | undefined)[] = [
  undefined,
  "CONNECT_FAILED",
  "CALL_REFUSED",
  "CONNECTION_LOST",
  "QUEUE_FULL",
  "QUEUE_FULL",
  "PROCESSOR_THREW",
];

const pushbacks = [undefined, undefined, "0", "1", "40", "300", "-1", "soon", "2147483647"];

/** Runs attempts as they begin: each ends after a while, or at its deadline, as a real transport's does. */
class Fate {
  readonly #clock: FakeClock;
  readonly #draw: () => number;
  readonly #over = new Set<FakeAttempt>();
  /** When an instance has answered, by its key. */
  readonly #answeredMs = new Map<string, number>();
  readonly begun: FakeAttempt[] = [];

  constructor(clock: FakeClock, draw: () => number) {
    this.#clock = clock;
    this.#draw = draw;
  }

  /** Attempts that have neither ended nor been cancelled. */
  get underWay(): readonly FakeAttempt[] {
    return this.begun.filter((each) => !this.#over.has(each) && each.cancelled === undefined);
  }

  /** Takes charge of an attempt that has just been started. */
  take(attempt: FakeAttempt, endsMs: number): void {
    const { instance, start } = attempt;
    expect(this.underWay.map((other) => other.instance)).not.toContain(instance);
    expect(start.timeoutMs).toBeGreaterThan(0);
    expect(this.#clock.now() + start.timeoutMs).toBe(endsMs);
    const answeredMs = this.#answeredMs.get(instance) ?? 0;
    expect(this.#clock.now() - answeredMs).toBeGreaterThanOrEqual(10);
    this.begun.push(attempt);
    this.#decide(attempt);
  }

  #decide(attempt: FakeAttempt): void {
    const { timeoutMs } = attempt.start;
    const clock = this.#clock;
    const afterMs = this.#draw() < 0.2 ? 20_000 : 1 + Math.floor(this.#draw() * 120);
    const headersMs = afterMs * this.#draw();
    clock.after(Math.min(headersMs, timeoutMs), () => {
      if (this.#draw() < 0.5 && !this.#over.has(attempt)) attempt.headers();
    });
    const late = afterMs >= timeoutMs;
    clock.after(Math.min(afterMs, timeoutMs), () =>
      this.#end(attempt, late ? endOf("DEADLINE_EXCEEDED") : this.#ending(attempt)),
    );
  }

  #ending(attempt: FakeAttempt): AttemptEnd {
    const reason = this.#of(reasons);
    if (reason === undefined) {
      attempt.message("done");
      return endOf(undefined);
    }
    const remote = reason === "QUEUE_FULL" || reason === "PROCESSOR_THREW";
    const text = remote ? this.#of(pushbacks) : undefined;
    const trailers = text === undefined ? {} : { trailers: { "grpc-retry-pushback-ms": text } };
    const ending: Ending = { remote, ...trailers };
    return endOf(reason, ending);
  }

  #end(attempt: FakeAttempt, end: AttemptEnd): void {
    this.#over.add(attempt);
    if (end.reason !== "CONNECT_FAILED") this.#answeredMs.set(attempt.instance, this.#clock.now());
    attempt.end(end);
  }

  #of<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#draw() * choices.length)] as T;
  }
}

function channelOf(
  { instances, budget, tokens, timeoutMs }: World,
  draw: () => number,
): FakeChannel {
  const ports = Array.from({ length: instances }, (_, n) => String(n + 1));
  const token = (): Promise<string> =>
    new Promise((resolve) => {
      channel.clock.after(Math.floor(draw() * 9), () => resolve("secret"), { background: true });
    });
  const channel = fakeChannel({ timeoutMs, ...(tokens ? { token } : {}) }, ...ports);
  for (let n = budget; n < 10; n++) channel.core.budget.withdraw();
  // Who is first must not matter.
  for (let n = Math.floor(draw() * instances); n > 0; n--) channel.core.pool.pick();
  return channel;
}

async function live(world: World): Promise<void> {
  const { maxAttempts, hedgeDelayMs, timeoutMs, idempotent, responseStream } = world;
  const draw = seeded(world.seed);
  const channel = channelOf(world, draw);
  const { clock, core } = channel;
  const endsMs = responseStream ? POSITIVE_INFINITY : clock.now() + timeoutMs;
  const fate = new Fate(clock, draw);
  const start = vi.spyOn(FakeTransport.prototype, "start");
  start.mockImplementation(function begin(this: FakeTransport, ...[how, listener]) {
    const attempt = new FakeAttempt(this.instance.key, how, listener);
    fate.take(attempt, endsMs);
    return attempt;
  });
  const poolEnded = vi.spyOn(core.pool, "ended");
  const attemptEnded = vi.spyOn(core.metrics, "attemptEnded");
  const callEnded = vi.spyOn(core.metrics, "callEnded");
  const withdraw = vi.spyOn(core.budget, "withdraw");
  const onReport = vi.fn();
  const method = { maxAttempts, hedgeDelayMs, timeoutMs, idempotent, responseStream };
  const call = new TestCall(channel, { method, extras: { onReport } }).begin();
  if (world.cancelMs !== POSITIVE_INFINITY) {
    clock.after(world.cancelMs, () => call.runner.cancel(Status.CANCELLED, "enough"));
  }
  if (world.closeMs !== POSITIVE_INFINITY) clock.after(world.closeMs, () => void core.close());
  for (let ms = 0; ms < 30_000 && call.end === undefined; ms += ms < 200 ? 1 : 500) {
    clock.advance(ms < 200 ? 1 : 500);
    await flushPromises();
  }
  expect(call.end).toBeDefined();
  expect(fate.underWay).toEqual([]);
  const begun = fate.begun.length;
  // Whatever the instances still say, nobody hears it.
  for (let n = 0; n < 3; n++) {
    clock.advance(20_000);
    await flushPromises();
  }
  start.mockRestore();
  const { attempts } = call.runner.report();
  expect([attempts.length, fate.begun.length]).toEqual([begun, begun]);
  expect(attempts.filter(({ outcome }) => outcome === "under-way")).toEqual([]);
  const counted = attempts.filter(({ reason }) => reason !== "CONNECT_FAILED").length;
  expect(counted).toBeLessThanOrEqual(maxAttempts);
  if (maxAttempts === 1) expect(begun).toBeLessThanOrEqual(1);
  if (responseStream || !idempotent || hedgeDelayMs === POSITIVE_INFINITY) {
    expect(attempts.some(({ hedge }) => hedge)).toBe(false);
  }
  const granted = withdraw.mock.results.filter(({ value }) => value === true).length;
  expect(granted).toBeLessThanOrEqual(world.budget);
  expect(begun).toBeLessThanOrEqual(1 + granted + begun - counted);
  for (const { connectMs, waitMs, transferMs, durationMs } of attempts) {
    expect(connectMs + waitMs + transferMs).toBe(durationMs);
  }
  expect(onReport).toHaveBeenCalledTimes(1);
  expect(poolEnded).toHaveBeenCalledTimes(begun);
  expect(attemptEnded).toHaveBeenCalledTimes(begun);
  expect(callEnded).toHaveBeenCalledTimes(1);
  if (call.end?.code === Status.OK) expect(call.messages).toEqual(["done"]);
  else if (!responseStream) expect(call.messages).toEqual([]);
  expect(core.calls.size).toBe(0);
  expect(clock.pending().filter(({ background }) => !background)).toEqual([]);
}

describe("CallRunner", () => {
  it("ends once, whatever its attempts come to, and leaves nothing behind", async () => {
    await fc.assert(fc.asyncProperty(worlds, live), fuzz(150));
  }, 600_000);
});
