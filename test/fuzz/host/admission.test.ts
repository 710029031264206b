import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Invocation, Priority } from "../../../src/core/invocation.js";
import { type ServingError, servingError } from "../../../src/core/serving-error.js";
import { Admission } from "../../../src/host/admission.js";
import type { Place } from "../../../src/lane/lane-pool.js";
import { admissionCall } from "../../support/admission-call.js";
import { FakePool } from "../../support/admission-places.js";
import { createFakeClock, flushPromises } from "../../support/fake-clock.js";
import { fuzz } from "../balance/fuzz-settings.js";

interface Step {
  readonly kind: "arrive" | "end" | "give up" | "pass" | "places" | "hope" | "limits";
  readonly priority: Priority;
  readonly bytes: number;
  /** Which of those that wait or run, modulo how many there are; or how many places, calls, milliseconds. */
  readonly number: number;
  /** Time until the call's deadline; Infinity for none. */
  readonly timeMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("arrive" as const) },
    { weight: 4, arbitrary: fc.constant("end" as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom("give up", "pass", "places", "hope", "limits"),
    },
  ) as fc.Arbitrary<Step["kind"]>,
  priority: fc.constantFrom("normal", "normal", "high"),
  bytes: fc.integer({ min: 0, max: 6 }),
  number: fc.nat(12),
  timeMs: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 5, 20),
});

interface Known {
  readonly name: string;
  readonly priority: Priority;
  readonly bytes: number;
  readonly deadlineMs: number;
}

/** The rules in their plainest words: one list in order of arrival, searched from end to end. */
class Model {
  waiting: Known[] = [];
  running: string[] = [];
  /** How each call went, by name. */
  readonly fates = new Map<string, string>();
  /** Names of those that ran, in order. */
  readonly order: string[] = [];
  places = 2;
  hopeful = true;
  maxLength = 3;
  maxBytes = 10;

  arrive(call: Known, nowMs: number): void {
    if (nowMs >= call.deadlineMs) this.fates.set(call.name, "DEADLINE_EXCEEDED");
    else if (this.running.length < this.places && !this.waiting.some((w) => this.#before(w, call)))
      this.#run(call);
    else if (!this.hopeful) {
      this.#refuseAll();
      this.fates.set(call.name, "NOT_READY");
    } else this.#queue(call);
  }

  #before(waiting: Known, call: Known): boolean {
    return waiting.priority === "high" || call.priority === "normal";
  }

  #queue(call: Known): void {
    const rivals =
      call.priority === "high"
        ? this.waiting.filter(({ priority }) => priority === "high")
        : this.waiting;
    if (rivals.length + 1 > this.maxLength || bytesOf(rivals) + call.bytes > this.maxBytes) {
      this.fates.set(call.name, "QUEUE_FULL");
      return;
    }
    const length = Math.max(this.maxLength, this.waiting.length);
    const bytes = Math.max(this.maxBytes, bytesOf(this.waiting));
    while (this.waiting.length + 1 > length || bytesOf(this.waiting) + call.bytes > bytes) {
      const victim = this.waiting.findLast(({ priority }) => priority === "normal");
      if (victim === undefined) throw new Error("nobody gives way");
      this.remove(victim.name, "QUEUE_FULL");
    }
    this.waiting.push(call);
  }

  letIn(nowMs: number): void {
    for (;;) {
      const next = this.waiting.find(({ priority }) => priority === "high") ?? this.waiting[0];
      if (next === undefined) return;
      if (nowMs >= next.deadlineMs) this.remove(next.name, "DEADLINE_EXCEEDED");
      else if (this.running.length < this.places) {
        this.waiting = this.waiting.filter((other) => other !== next);
        this.#run(next);
      } else {
        if (!this.hopeful) this.#refuseAll();
        return;
      }
    }
  }

  remove(name: string, fate: string): void {
    this.waiting = this.waiting.filter((call) => call.name !== name);
    this.fates.set(name, fate);
  }

  #refuseAll(): void {
    for (const { name } of this.waiting) this.remove(name, "NOT_READY");
  }

  #run({ name }: Known): void {
    this.running.push(name);
    this.order.push(name);
    this.fates.set(name, "ran");
  }
}

function bytesOf(calls: readonly Known[]): number {
  return calls.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The admission and its model, taken through the same story. */
class Scene {
  readonly clock = createFakeClock(0);
  readonly model = new Model();
  readonly pool = new FakePool(this.model.places);
  readonly admission = new Admission(
    {
      maxQueueLength: this.model.maxLength,
      maxQueueBytes: this.model.maxBytes,
      requestsPerSecond: 0,
    },
    this.pool,
    { clock: this.clock, random: () => 0.5, onAdmitted: ({ path }) => this.order.push(path) },
  );
  readonly order: string[] = [];
  readonly #fates = new Map<string, string>();
  readonly #calls = new Map<string, Invocation>();
  readonly #places = new Map<string, Place>();

  async take({ kind, priority, bytes, number, timeMs }: Step): Promise<void> {
    const { model, pool, admission, clock } = this;
    if (kind === "arrive") {
      const name = `c${this.#calls.size}`;
      const deadlineMs = clock.now() + timeMs;
      model.arrive({ name, priority, bytes, deadlineMs }, clock.now());
      this.#arrive(admissionCall({ name, priority, bytes, deadlineMs }));
    } else if (kind === "end" && model.running.length > 0) {
      const name = model.running[number % model.running.length] ?? "";
      model.running = model.running.filter((other) => other !== name);
      model.letIn(clock.now());
      const place = this.#places.get(name);
      if (place === undefined) throw new Error(`${name} has no place`);
      admission.leave(place);
    } else if (kind === "give up" && model.waiting.length > 0) {
      const { name } = model.waiting[number % model.waiting.length] ?? { name: "" };
      model.remove(name, "CANCELLED");
      this.#calls.get(name)?.giveUp(servingError("CANCELLED", "gone"));
    } else if (kind === "pass") clock.advance(number);
    else if (kind === "limits") {
      model.maxLength = number % 6;
      model.maxBytes = bytes * 3;
      admission.setLimits({ maxQueueLength: model.maxLength, maxQueueBytes: model.maxBytes });
    } else if (kind === "places" || kind === "hope") {
      model.hopeful = kind === "places";
      model.places = kind === "places" ? number % 4 : 0;
      model.letIn(clock.now());
      pool.hopeful = model.hopeful;
      pool.setPlaces(model.places);
    }
    await flushPromises();
  }

  check(): void {
    const { model, admission } = this;
    expect(Object.fromEntries(this.#fates)).toEqual(Object.fromEntries(model.fates));
    expect(this.order).toEqual(model.order);
    expect(admission).toMatchObject({
      running: model.running.length,
      queueLength: model.waiting.length,
      queueBytes: bytesOf(model.waiting),
    });
  }

  #arrive(call: Invocation): void {
    this.#calls.set(call.path, call);
    const ran = (place: Place): void => {
      this.#places.set(call.path, place);
      this.#fates.set(call.path, "ran");
    };
    const refused = ({ reason }: ServingError): void => void this.#fates.set(call.path, reason);
    try {
      const entering = this.admission.enter(call);
      if (entering instanceof Promise) entering.then(ran, refused);
      else ran(entering);
    } catch (error) {
      refused(error as ServingError);
    }
  }
}

describe("the queue of an admission", () => {
  it("does what the plainest words of its rules say, whatever happens in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: "max" }), async (story) => {
        const scene = new Scene();
        for (const next of story) {
          await scene.take(next);
          scene.check();
        }
      }),
      fuzz(300) as fc.Parameters<[Step[]]>,
    );
  });
});
