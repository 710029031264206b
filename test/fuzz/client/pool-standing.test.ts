import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PoolMember } from "../../../src/client/pool/pool-member.js";
import type { AttemptEnd } from "../../../src/transport/transport.js";
import { endOf, type FakeTransport } from "../../support/client-fake-transport.js";
import {
  answeredEnd,
  brokenEnd,
  type FakePool,
  fakePool,
  lateEnd,
} from "../../support/client-pool.js";
import { fuzz } from "../balance/fuzz-settings.js";

const PORTS = ["1", "2", "3", "4", "5", "6"] as const;

const ejection = {
  consecutiveFailures: 2,
  failureRatio: 0.5,
  slowerThan: 2,
  baseMs: 3_000,
  maxMs: 9_000,
  maxRatio: 0.5,
};

/** Says nothing of the instance. */
const nothing = endOf("CALL_REFUSED");

const port = fc.constantFrom(...PORTS);

/** Something that happens to a pool, its instances and the attempts on them. */
const events = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("list"),
      weights: fc.dictionary(port, fc.constantFrom(0, 1, 100)),
    }),
    fc.record({ kind: fc.constant("fail"), ports: fc.uniqueArray(port) }),
    fc.record({ kind: fc.constant("connect"), ports: fc.uniqueArray(port, { minLength: 2 }) }),
    fc.record({ kind: fc.constant("begin"), excluded: fc.uniqueArray(port, { maxLength: 5 }) }),
    fc.record({
      kind: fc.constant("end"),
      at: fc.nat(20),
      end: fc.constantFrom(answeredEnd, brokenEnd, lateEnd),
    }),
    fc.record({
      kind: fc.constant("become"),
      port,
      state: fc.constantFrom("ready", "ready", "failed", "idle"),
    }),
    fc.record({ kind: fc.constant("say"), port, serving: fc.constantFrom(true, false, undefined) }),
    fc.record({ kind: fc.constant("life"), alive: fc.boolean() }),
    fc.record({ kind: fc.constant("bytes"), port }),
    fc.record({ kind: fc.constant("time"), ms: fc.constantFrom(0, 250, 1_000, 5_000, 20_000) }),
  ),
  { maxLength: 60 },
) as fc.Arbitrary<readonly Happening[]>;

type Happening =
  | { readonly kind: "list"; readonly weights: Readonly<Record<string, number>> }
  | { readonly kind: "fail" | "connect"; readonly ports: readonly string[] }
  | { readonly kind: "begin"; readonly excluded: readonly string[] }
  | { readonly kind: "end"; readonly at: number; readonly end: AttemptEnd }
  | { readonly kind: "become"; readonly port: string; readonly state: "ready" | "failed" | "idle" }
  | { readonly kind: "say"; readonly port: string; readonly serving: boolean | undefined }
  | { readonly kind: "life"; readonly alive: boolean }
  | { readonly kind: "bytes"; readonly port: string }
  | { readonly kind: "time"; readonly ms: number };

/** A pool, and what a test knows of it by itself. */
class Watched {
  readonly made: FakePool = fakePool({ ejection, idleTimeoutMs: 10_000, slowStartMs: 4_000 });
  readonly #underWay: PoolMember[] = [];
  #weights: Readonly<Record<string, number>> = {};

  happen(event: Happening): void {
    const { made } = this;
    switch (event.kind) {
      case "list":
        this.#weights = event.weights;
        made.update(...Object.entries(event.weights).map(([of, weight]) => `${of}=${weight}`));
        break;
      case "begin": {
        const member = made.pool.pick(new Set(event.excluded.map((of) => `127.0.0.1:${of}`)));
        member?.transport.connect();
        if (member !== undefined) this.#underWay.push(member);
        break;
      }
      case "connect":
        for (const of of event.ports) this.#attemptOn(of, answeredEnd);
        for (const of of event.ports) this.#newest(of)?.become("ready");
        break;
      case "fail":
        for (const of of [...event.ports, ...event.ports]) this.#attemptOn(of, brokenEnd);
        break;
      case "end": {
        const [member] = this.#underWay.splice(event.at % Math.max(1, this.#underWay.length), 1);
        if (member !== undefined) made.end(member, event.end);
        break;
      }
      case "become":
        this.#newest(event.port)?.become(event.state);
        break;
      case "say":
        if (this.#newest(event.port) !== undefined) made.healthOf(event.port).say(event.serving);
        break;
      case "life":
        for (const of of PORTS) {
          if (this.#newest(of) !== undefined) made.healthOf(of).answerAll(event.alive);
        }
        break;
      case "bytes":
        if (this.#newest(event.port) !== undefined) made.healthOf(event.port).bytes++;
        break;
      case "time":
        made.clock.advance(event.ms);
    }
  }

  /** Of the listed ones with a weight: who is in the picker, as one call after another would find, and whose standing says so. */
  check(): void {
    const { pool } = this.made;
    const weighted = PORTS.filter((of) => (this.#weights[of] ?? 0) > 0);
    const found: (typeof PORTS)[number][] = [];
    const said: string[] = [];
    for (const of of PORTS) {
      const others = PORTS.filter((other) => other !== of).map((other) => `127.0.0.1:${other}`);
      const member = pool.pick(new Set(others));
      if (member === undefined) continue;
      this.made.end(member, nothing);
      if (member.key !== `127.0.0.1:${of}`) continue;
      found.push(of);
      if (member.usable && member.weighted && !member.left && member.weight > 0) said.push(of);
    }
    const { usable, ejected, listed, unreachable, notServing, joining, connected, ...counts } =
      pool.counts();
    expect(said).toEqual(found);
    expect(found.filter((of) => !weighted.includes(of))).toEqual([]);
    expect([usable, counts.weighted]).toEqual([found.length, weighted.length]);
    // Facts make no room for judgements, and whoever can be picked last is never judged away.
    expect(ejected).toBeLessThanOrEqual(Math.floor((usable + ejected) / 2));
    expect(ejected > 0 && usable === 0).toBe(false);
    // Nobody is missing without a reason.
    const { text } = pool.whyNone();
    const out = [...text.matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), 0);
    expect(out).toBe(weighted.length - found.length);
    expect(listed).toBe(Object.keys(this.#weights).length);
    for (const count of [unreachable, notServing, joining, connected]) {
      expect(count).toBeGreaterThanOrEqual(0);
      expect(count).toBeLessThanOrEqual(listed);
    }
  }

  /** Everything ends with the pool, whatever is still under way. */
  close(): void {
    const { pool, clock, transports } = this.made;
    pool.close();
    for (const member of this.#underWay) this.made.end(member, answeredEnd);
    for (const of of PORTS) {
      if (this.#newest(of) === undefined) continue;
      this.made.healthOf(of).answerAll(false);
      expect(this.made.healthOf(of).watches).toBe(0);
    }
    expect(clock.pending()).toEqual([]);
    expect(transports.all.filter(({ state }) => state !== "closed")).toEqual([]);
    expect(Object.values(pool.counts()).filter((count) => count !== 0)).toEqual([]);
  }

  /** An attempt on it, if it is in rotation. */
  #attemptOn(of: string, end: AttemptEnd): void {
    const others = PORTS.filter((other) => other !== of).map((other) => `127.0.0.1:${other}`);
    const member = this.made.pool.pick(new Set(others));
    if (member === undefined) return;
    const wanted = member.key === `127.0.0.1:${of}`;
    if (wanted) member.transport.connect();
    this.made.end(member, wanted ? end : nothing);
  }

  #newest(of: string): FakeTransport | undefined {
    return this.made.transports.all.findLast(({ instance }) => instance.port === Number(of));
  }
}

describe("InstancePool", () => {
  it("holds exactly those in the picker against whom nothing is known, ejects no more than half, and ends with everything", () => {
    const property = fc.property(events, (happening) => {
      const watched = new Watched();
      for (const event of happening) {
        watched.happen(event);
        watched.check();
      }
      watched.close();
    });
    fc.assert(property, fuzz(300));
  });
});
