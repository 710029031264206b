import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import { EtcdMirror } from "../../../src/directory/etcd/etcd-mirror.js";
import type { EtcdRegistration } from "../../../src/directory/etcd/etcd-registration.js";
import { createServiceTable } from "../../../src/directory/service-table.js";
import type { EtcdEntry } from "../../../src/wire/etcd.js";
import { SETTLE_MS } from "../../../src/wire/upstream.js";
import { createFakeClock } from "../../support/fake-clock.js";

const prefix = "p/";

function mirrored() {
  const lines: string[] = [];
  const say = (_: object, message: string): void => {
    lines.push(message);
  };
  const logger = { ...silentLogger, info: say, warn: say };
  const table = createServiceTable<EtcdRegistration>({ settled: false });
  const clock = createFakeClock();
  return { lines, table, clock, mirror: new EtcdMirror({ prefix, table, clock, logger }) };
}

function entryOf(key: string, value: string, modRevision = 1n): EtcdEntry {
  return {
    key: prefix + key,
    value: Buffer.from(value),
    modRevision,
    lease: 7n,
  };
}

const at = (port: number): string => JSON.stringify({ Op: 0, Addr: `10.0.0.1:${port}` });

/** What readers of a table see; of two names with equal weights at one address, the one that came first is listed. */
function shown(table: ReturnType<typeof mirrored>["table"]): unknown {
  return ["s", "g", "g.a"].map((service) => {
    const { instances, shares, correlative } = table.list(service);
    const weights = instances.map(({ key, weight }) => `${key}*${weight}`).sort();
    return { weights, shares: [...shares].sort(), correlative };
  });
}

describe("EtcdMirror", () => {
  it("shows the same after any changes as one that reads what came of them", () => {
    const key = fc.constantFrom(
      ...["s/x", "s/y/z", "g/x", "g.a/x", "g.a/y", ".traffic/g", ".weight/s/x", ".weight/g.a/x"],
      ...[".known/s", ".known/g", "junk", ".weight/", ".traffic/g.a"],
    );
    const value = fc.oneof(
      fc.integer({ min: 1, max: 3 }).map(at),
      fc.constantFrom(
        "5",
        '{"a":1,"b":2}',
        '{"a":3}',
        "{",
        "",
        "null",
        '{"Op":1,"Addr":"1.1.1.1:1"}',
      ),
      fc.json(),
    );
    const change = fc.record({ key, value: fc.option(value) });
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }), (batches) => {
        const one = mirrored();
        const there = new Map<string, EtcdEntry>();
        one.mirror.onSync([], 1n);
        batches.forEach((batch, index) => {
          const revision = BigInt(index + 2);
          const changes = batch.map((step) => {
            const entry = step.value === null ? undefined : entryOf(step.key, step.value, revision);
            if (entry === undefined) there.delete(prefix + step.key);
            else there.set(entry.key, entry);
            return { key: prefix + step.key, entry, revision };
          });
          one.mirror.onChanges(changes, revision);
        });
        const another = mirrored();
        const entries = [...there.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
        another.mirror.onSync(entries, 100n);
        expect(shown(one.table)).toEqual(shown(another.table));
        // Read anew, it stays as it is.
        one.mirror.onSync(entries, 100n);
        expect(shown(one.table)).toEqual(shown(another.table));
      }),
      { numRuns: 300 },
    );
  });

  it("says once that etcd is away and that it is back, and that its lists are stale meanwhile", async () => {
    const { mirror, table, clock, lines } = mirrored();
    mirror.onSync([entryOf("s/x", at(1))], 1n);
    const error = servingError("CONNECTION_LOST", "gone");
    mirror.onError(error);
    await clock.settle(2_999);
    mirror.onError(error);
    expect(lines).toEqual(["etcd has been read"]);
    await clock.settle(1);
    mirror.onChanges([{ key: "p/s/y", entry: entryOf("s/y", at(2)), revision: 2n }], 2n);
    expect(table.list("s")).toMatchObject({
      stale: true,
      instances: [{ name: "x" }, { name: "y" }],
    });
    mirror.onConfirmed();
    mirror.onConfirmed();
    expect(table.list("s").stale).toBe(false);
    expect(lines).toEqual([
      "etcd has been read",
      expect.stringContaining("etcd does not answer"),
      "registered",
      "etcd is back",
    ]);
  });

  it("lets a writer wait until it shows what was written, for a while", async () => {
    const { mirror, clock } = mirrored();
    const done: string[] = [];
    void mirror.until(() => mirror.revision >= 5n, 1_000).then(() => done.push("shown"));
    void mirror.until(() => false, 1_000).then(() => done.push("given up"));
    await clock.settle(500);
    expect(done).toEqual([]);
    mirror.onSync([], 5n);
    await clock.settle(0);
    expect(done).toEqual(["shown"]);
    await clock.settle(500);
    expect(done).toEqual(["shown", "given up"]);
    mirror.close();
    expect(clock.pending()).toEqual([]);
  });

  it("says how many keys make no sense, and again when there are more, once a minute", async () => {
    const { mirror, clock, lines } = mirrored();
    const senseless = (): number => lines.filter((line) => line.includes("make no sense")).length;
    mirror.onSync([entryOf("s/x", "{"), entryOf("s/y", "[]")], 1n);
    mirror.onChanges([{ key: "p/s/z", entry: entryOf("s/z", "{"), revision: 2n }], 2n);
    expect(senseless()).toBe(1);
    await clock.settle(60_000);
    expect(senseless()).toBe(2);
    await clock.settle(60_000);
    mirror.onSync([], 3n);
    expect(senseless()).toBe(2);
    mirror.onSync([entryOf("s/x", "{")], 4n);
    expect(senseless()).toBe(3);
  });
});

describe("EtcdMirror after an outage", () => {
  const error = servingError("CONNECTION_LOST", "gone");
  const gone = (name: string) => ({ key: `p/s/${name}`, entry: undefined, revision: 9n });

  /** x and y are registered, and etcd is away for so long. */
  async function away(forMs: number) {
    const all = mirrored();
    const { mirror, table, clock } = all;
    const names = () => table.list("s").instances.map(({ name }) => name);
    mirror.onSync([entryOf("s/x", at(1)), entryOf("s/y", at(2))], 1n);
    for (let ms = 0; ms < SETTLE_MS; ms += 1_000) {
      await clock.settle(1_000);
      mirror.onConfirmed();
    }
    expect(table.list("s").settled).toBe(true);
    await clock.settle(forMs / 2);
    mirror.onError(error);
    await clock.settle(forMs / 2);
    return { ...all, names };
  }

  it("lets nothing settle before hosts have had the time to come back to it", async () => {
    const { mirror, table, clock } = mirrored();
    mirror.onSync([entryOf("s/x", at(1))], 1n);
    expect(table.list("s").settled).toBe(false);
    await clock.settle(SETTLE_MS);
    expect(table.list("s").settled).toBe(true);
  });

  it("keeps who ran out listed until the end of the hold, then unlists all at once", async () => {
    const { mirror, table, clock, names, lines } = await away(10_000);
    mirror.onChanges([gone("x"), gone("y")], 9n);
    mirror.onConfirmed();
    expect(names()).toEqual(["x", "y"]);
    expect(table.list("s")).toMatchObject({ settled: false, stale: false });
    for (let i = 0; i < 14; i += 1) {
      await clock.settle(1_000);
      mirror.onConfirmed();
    }
    expect(names()).toEqual(["x", "y"]);
    await clock.settle(1_000);
    expect(names()).toEqual([]);
    expect(table.list("s").settled).toBe(true);
    expect(lines.filter((line) => line.includes("ran out"))).toHaveLength(1);
    expect(lines.slice(-2)).toEqual(["expired or deregistered", "expired or deregistered"]);
  });

  it("keeps who is missing from the first reading after it", async () => {
    const { mirror, names } = await away(10_000);
    mirror.onSync([entryOf("s/y", at(2))], 9n);
    expect(names()).toEqual(["x", "y"]);
  });

  it("is settled as soon as everybody has come back, and takes a later end for what it is", async () => {
    const { mirror, table, clock, names, lines } = await away(10_000);
    mirror.onChanges([gone("x")], 9n);
    const back = { ...entryOf("s/x", at(1), 10n), lease: 8n };
    mirror.onChanges([{ key: "p/s/x", entry: back, revision: 10n }], 10n);
    expect(lines.at(-1)).toBe("registered again");
    expect(table.list("s").settled).toBe(true);
    for (let i = 0; i < 15; i += 1) {
      await clock.settle(1_000);
      mirror.onConfirmed();
    }
    expect(names()).toEqual(["x", "y"]);
    mirror.onChanges([gone("x")], 11n);
    expect(names()).toEqual(["y"]);
  });

  it("holds on through a second outage", async () => {
    const { mirror, clock, names } = await away(10_000);
    mirror.onChanges([gone("x")], 9n);
    await clock.settle(20_000);
    expect(names()).toEqual(["x", "y"]);
    mirror.onConfirmed();
    for (let i = 0; i < 15; i += 1) {
      expect(names()).toEqual(["x", "y"]);
      mirror.onConfirmed();
      await clock.settle(1_000);
    }
    expect(names()).toEqual(["y"]);
  });

  it.each<[string, number, (all: Awaited<ReturnType<typeof away>>) => void]>([
    ["after a short one", 1_000, () => {}],
    [
      "whose owner gives it back here",
      10_000,
      ({ mirror, table }) => {
        const registration = table.registration("s", "x");
        if (registration !== undefined) mirror.leaves(registration);
      },
    ],
    [
      "whose owner has said elsewhere that it goes",
      10_000,
      ({ mirror }) => {
        const entry = entryOf("s/x", '{"Op":1,"Addr":"10.0.0.1:1"}', 8n);
        mirror.onChanges([{ key: "p/s/x", entry, revision: 8n }], 8n);
      },
    ],
    [
      "that never ran out",
      10_000,
      ({ mirror }) => {
        const entry = { ...entryOf("s/x", at(1), 8n), lease: 0n };
        mirror.onChanges([{ key: "p/s/x", entry, revision: 8n }], 8n);
      },
    ],
  ])("unlists at once what ends %s", async (_, forMs, first) => {
    const all = await away(forMs);
    first(all);
    all.mirror.onChanges([gone("x")], 9n);
    expect(all.names()).toEqual(["y"]);
    expect(all.table.list("s").settled).toBe(true);
  });

  it("unlists who gives back here what has run out already", async () => {
    const { mirror, table, names } = await away(10_000);
    mirror.onChanges([gone("x")], 9n);
    const held = table.registration("s", "x");
    if (held !== undefined) mirror.leaves(held);
    expect(names()).toEqual(["y"]);
    expect(table.list("s").settled).toBe(true);
  });

  it("writes no line of one that is soon over", async () => {
    const { lines, mirror } = await away(4_000);
    mirror.onConfirmed();
    expect(lines).toEqual(["etcd has been read"]);
  });
});
