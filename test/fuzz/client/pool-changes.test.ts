import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InstancePool } from "../../../src/client/pool/instance-pool.js";
import { type Instance, MAX_WEIGHT } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { seededRandom } from "../../../src/core/seeded-random.js";
import { createKeyedList } from "../../../src/resolve/keyed-list.js";
import { instanceFrom } from "../../support/client-channel.js";
import { FakeTransports } from "../../support/client-fake-transport.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { defaultPoolPolicy } from "../../support/pool-policy.js";
import { fuzz } from "../balance/fuzz-settings.js";

const PORTS = ["1", "2", "3", "4", "5", "6"] as const;

/** What happens to both pools: a list, an instance's connection, calls. */
type Event =
  | { readonly kind: "list"; readonly weights: Readonly<Record<string, number>> }
  | { readonly kind: "weigh"; readonly port: string; readonly weight: number }
  | { readonly kind: "touch"; readonly port: string }
  | { readonly kind: "become"; readonly port: string; readonly state: "ready" | "failed" | "idle" }
  | { readonly kind: "pick"; readonly count: number };

const port = fc.constantFrom(...PORTS);

const weight = fc.constantFrom(0, 1, 3, 100, MAX_WEIGHT);

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("list" as const),
      weights: fc.dictionary(port, weight),
    }),
    fc.record({ kind: fc.constant("weigh" as const), port, weight }),
    fc.record({ kind: fc.constant("touch" as const), port }),
    fc.record({
      kind: fc.constant("become" as const),
      port,
      state: fc.constantFrom("ready" as const, "failed" as const, "idle" as const),
    }),
    fc.record({ kind: fc.constant("pick" as const), count: fc.integer({ min: 1, max: 12 }) }),
  ),
  { maxLength: 40 },
);

/** A pool that is told lists whole, or as what changes. */
function poolTold(seed: number, byChange: boolean) {
  const transports = new FakeTransports();
  const clock = createFakeClock();
  const list = createKeyedList();
  const pool = new InstancePool({
    createTransport: transports.create,
    clock,
    random: seededRandom(seed),
    logger: silentLogger,
    policy: { ...defaultPoolPolicy, idleTimeoutMs: Number.POSITIVE_INFINITY },
    onEjected() {},
  });
  const but = (kept: string): ReadonlySet<string> =>
    new Set(PORTS.filter((other) => other !== kept).map((other) => `127.0.0.1:${other}`));
  let listed: readonly Instance[] = [];
  function update(instances: readonly Instance[]): number {
    const change = list.differenceTo(instances) ?? { changed: [], removed: [] };
    const wasEmpty = listed.length === 0;
    listed = list.apply(change);
    pool.update(listed, byChange ? change : undefined);
    // Whoever joins with nobody there does so as a group, however it is told.
    return wasEmpty ? 0 : change.changed.length + change.removed.length;
  }
  return {
    update,
    weigh(of: string, weight: number): number {
      const weighed = instanceFrom(`${of}=${weight}`);
      return update([...listed.filter(({ key }) => key !== weighed.key), weighed]);
    },
    /** Connects to one instance as a call would that has tried all others. */
    touch(wanted: string) {
      const member = pool.pick(but(wanted));
      if (member?.key.endsWith(`:${wanted}`) === true) member.transport.connect();
    },
    become(of: string, state: "ready" | "failed" | "idle") {
      const transport = transports.all.findLast(({ instance }) => instance.port === Number(of));
      if (transport !== undefined && transport.state !== "closed") transport.become(state);
    },
    pick: () => pool.pick()?.key,
    seen: () => ({
      // Each asked for as by a call that has tried all others: counters are brought back in the midst of that too.
      pickable: PORTS.filter((of) => pool.pick(but(of))?.key.endsWith(`:${of}`)),
      usable: pool.usable,
      hasWeighted: pool.hasWeighted,
      others: PORTS.map((of) => pool.hasOther(new Set([`127.0.0.1:${of}`]))),
      transports: transports.all.map(({ instance, state }) => `${instance.key} ${state}`).sort(),
    }),
  };
}

type Told = ReturnType<typeof poolTold>;

/** Lets something happen to a pool; who was picked, and how many instances changed at once. */
function happen(pool: Told, event: Event): { picked: readonly unknown[]; changes: number } {
  switch (event.kind) {
    case "list": {
      const entries = Object.entries(event.weights);
      return {
        picked: [],
        changes: pool.update(entries.map(([of, w]) => instanceFrom(`${of}=${w}`))),
      };
    }
    case "weigh":
      return { picked: [], changes: pool.weigh(event.port, event.weight) };
    case "touch":
      pool.touch(event.port);
      break;
    case "become":
      pool.become(event.port, event.state);
      break;
    case "pick":
      return { picked: Array.from({ length: event.count }, () => pool.pick()), changes: 0 };
  }
  return { picked: [], changes: 0 };
}

describe("InstancePool", () => {
  it("comes to the same by changes as by whole lists", () => {
    const property = fc.property(fc.integer(), events, (seed, happening) => {
      const [whole, changes] = [poolTold(seed, false), poolTold(seed, true)];
      // Several changes at once come to other picks, as fair as those, than one by one: who leave together settle with the
      // others as a group, and with heavy weights sums are rounded in another order.
      let alike = true;
      for (const event of happening) {
        const [expected, seen] = [happen(whole, event), happen(changes, event)];
        if (expected.changes > 1) alike = false;
        if (alike) expect(seen.picked).toEqual(expected.picked);
        expect(changes.seen()).toEqual(whole.seen());
      }
    });
    fc.assert(property, fuzz(400));
  });
});
