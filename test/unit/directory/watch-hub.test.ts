import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { createMemoryStore } from "../../../src/directory/memory-store.js";
import type { DirectoryStore } from "../../../src/directory/store.js";
import {
  createWatchHub,
  MAX_WATCHES,
  type WatchHub,
  type WatchUpdate,
} from "../../../src/directory/watch-hub.js";
import { SETTLE_MS, type UpstreamList } from "../../../src/wire/upstream.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

interface Fixture {
  readonly clock: FakeClock;
  readonly hub: WatchHub;
  readonly store: DirectoryStore;
  register(name: string): Promise<void>;
}

function fixture(): Fixture {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock, logger: silentLogger });
  clock.advance(SETTLE_MS);
  return {
    clock,
    hub: createWatchHub(store, clock),
    store,
    async register(name) {
      const instance = instanceOf({ name, host: "10.0.0.1", port: name.charCodeAt(0) });
      await store.register({ service: "mnist", ttlMs: 300_000, holder: "", instance });
    },
  };
}

/** Reads a watch as fast as it goes, and notes what it says: names, and of differences what leads to them. */
function follow(
  hub: WatchHub,
  differences = false,
): { lists: string[]; stop(): void; ended: Promise<unknown> } {
  const aborting = new AbortController();
  const lists: string[] = [];
  const read = async (): Promise<unknown> => {
    try {
      const options = { signal: aborting.signal, differences };
      for await (const { list, change } of hub.watch("mnist", options)) {
        const { known, instances } =
          change === undefined ? list : { known: true, instances: change.difference.changed };
        const names = known ? instances.map(({ name }) => name).join("") : "unknown";
        lists.push(change === undefined ? names : `+${names}-${change.difference.removed}`);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return { lists, stop: () => aborting.abort(), ended: read() };
}

describe("createWatchHub", () => {
  it("says at once what is known, also when that is nothing", async () => {
    const { clock, hub } = fixture();
    const { lists, stop } = follow(hub);
    await clock.settle();
    expect(lists).toEqual(["unknown"]);
    stop();
  });

  it("says a change after some quiet at once, and joins those that follow closely", async () => {
    const { clock, hub, register } = fixture();
    await register("a");
    const { lists, stop } = follow(hub);
    await clock.settle(50);
    await register("b");
    await clock.settle();
    expect(lists).toEqual(["a", "ab"]);
    await register("c");
    await clock.settle(49);
    await register("d");
    expect(lists).toEqual(["a", "ab"]);
    await clock.settle(1);
    expect(lists).toEqual(["a", "ab", "abcd"]);
    await clock.settle(50);
    await register("e");
    await clock.settle();
    expect(lists).toEqual(["a", "ab", "abcd", "abcde"]);
    stop();
  });

  it("repeats itself every 10 s", async () => {
    const { clock, hub, register } = fixture();
    await register("a");
    const { lists, stop } = follow(hub);
    await clock.settle(9_999);
    expect(lists).toEqual(["a"]);
    await clock.settle(1);
    expect(lists).toEqual(["a", "a"]);
    await clock.settle(10_000);
    expect(lists).toEqual(["a", "a", "a"]);
    stop();
  });

  it("repeats itself every 2 s to whoever takes differences", async () => {
    const { clock, hub, register } = fixture();
    await register("a");
    const { lists, stop } = follow(hub, true);
    await clock.settle(1_999);
    expect(lists).toEqual(["a"]);
    await clock.settle(4_001);
    expect(lists).toEqual(["a", "+-", "+-", "+-"]);
    stop();
  });

  it("refuses a watch more than it bears, until another one ends", async () => {
    const { clock, hub } = fixture();
    const watches = Array.from({ length: MAX_WATCHES }, () => follow(hub));
    await clock.settle();
    expect(await follow(hub).ended).toMatchObject({ code: 8 });
    watches[0]?.stop();
    await watches[0]?.ended;
    const { lists } = follow(hub);
    await clock.settle();
    expect(lists).toEqual(["unknown"]);
    for (const { stop } of watches) stop();
  });

  it("gives a slow watcher the newest list only", async () => {
    const { clock, hub, register } = fixture();
    const options = { signal: new AbortController().signal, differences: false };
    const lists = hub.watch("mnist", options)[Symbol.asyncIterator]();
    await lists.next();
    for (const name of "abc") await register(name);
    const next = lists.next();
    await clock.settle(50);
    const { value } = await next;
    expect(value.list.instances.length).toBe(3);
  });

  it("ends a watch that is given up, and leaves nothing behind", async () => {
    const { clock, hub } = fixture();
    const { stop, ended } = follow(hub);
    await clock.settle();
    expect(clock.pending()).toMatchObject([{ background: true }]);
    stop();
    expect(await ended).toBeUndefined();
    expect(clock.pending()).toEqual([]);
  });

  it("ends every watch with DRAINING when it is closed, and refuses new ones", async () => {
    const { clock, hub, store, register } = fixture();
    const watches = [follow(hub), follow(hub)];
    await clock.settle();
    await register("a");
    hub.close();
    hub.close();
    for (const { ended } of watches) {
      expect(await ended).toMatchObject({ reason: "DRAINING", code: 14 });
    }
    expect(await follow(hub).ended).toMatchObject({ reason: "DRAINING" });
    await store.close();
    expect(clock.pending()).toEqual([]);
  });
});

describe("createWatchHub: differences", () => {
  /** A store of letters that knows what leads from each list to the newest, but from `forgotten` ones. */
  function letters(): { store: DirectoryStore; set(names: string): void; forgotten: Set<string> } {
    const forgotten = new Set<string>();
    let changed: (service: string) => void = () => {};
    let list = listOf("");
    const store: DirectoryStore = {
      ...createMemoryStore({ clock: createFakeClock(), logger: silentLogger }),
      list: () => list,
      difference(_, since) {
        if (forgotten.has(since)) return undefined;
        return {
          changed: list.instances.filter(({ name }) => !since.includes(name)),
          removed: [...since].filter((name) => !list.version.includes(name)),
        };
      },
      onChange(listener) {
        changed = listener;
        return () => {};
      },
    };
    const set = (names: string): void => {
      list = listOf(names);
      changed("mnist");
    };
    return { store, set, forgotten };
  }

  function listOf(names: string): UpstreamList {
    return {
      service: "mnist",
      version: names,
      instances: [...names].map((name) => instanceOf({ name, host: "10.0.0.1", port: 80 })),
      correlative: ["mnist"],
      known: names !== "",
      shares: new Map(),
      stale: false,
      settled: true,
    };
  }

  it("follow the whole list, but never one of an unknown service, nor one too long ago", async () => {
    const clock = createFakeClock();
    const { store, set, forgotten } = letters();
    const hub = createWatchHub(store, clock);
    const { lists, stop } = follow(hub, true);
    for (const names of ["a", "ab", "bc", "d"]) {
      await clock.settle(50);
      if (names === "d") forgotten.add("bc");
      set(names);
    }
    await clock.settle(50);
    expect(lists).toEqual(["unknown", "a", "+b-", "+c-a", "d"]);
    await clock.settle(10_000);
    expect(lists.at(-1)).toBe("+-");
    stop();
  });

  it("go to those who asked, and are the same object for all of them", async () => {
    const clock = createFakeClock();
    const { store, set } = letters();
    set("a");
    const hub = createWatchHub(store, clock);
    const aborting = new AbortController();
    const [old, one, two] = [false, true, true].map((differences) =>
      hub.watch("mnist", { signal: aborting.signal, differences })[Symbol.asyncIterator](),
    );
    const nextOf = async (): Promise<WatchUpdate[]> => {
      const results = await Promise.all([old, one, two].map((watch) => watch?.next()));
      return results.map((result) => result?.value);
    };
    const first = await nextOf();
    expect(new Set(first).size).toBe(1);
    set("ab");
    const [, [whole, difference, same]] = await Promise.all([clock.settle(50), nextOf()]);
    expect(whole?.change).toBeUndefined();
    expect(difference?.change).toMatchObject({ since: "a", difference: { removed: [] } });
    expect(same).toBe(difference);
    aborting.abort();
  });
});
