import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { createMemoryStore } from "../../../src/directory/memory-store.js";
import { createWatchHub, type WatchHub } from "../../../src/directory/watch-hub.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

interface Fixture {
  readonly clock: FakeClock;
  readonly hub: WatchHub;
  register(name: string): Promise<void>;
}

function fixture(): Fixture {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock, logger: silentLogger });
  return {
    clock,
    hub: createWatchHub(store, clock),
    async register(name) {
      const instance = instanceOf({ name, host: "10.0.0.1", port: name.charCodeAt(0) });
      await store.register({ service: "mnist", ttlMs: 300_000, instance });
    },
  };
}

/** Reads a watch as fast as it goes, and notes what it says. */
function follow(hub: WatchHub): { lists: string[]; stop(): void; ended: Promise<unknown> } {
  const aborting = new AbortController();
  const lists: string[] = [];
  const read = async (): Promise<unknown> => {
    try {
      for await (const { known, instances } of hub.watch("mnist", aborting.signal)) {
        lists.push(known ? instances.map(({ name }) => name).join("") : "unknown");
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

  it("joins changes that follow each other closely", async () => {
    const { clock, hub, register } = fixture();
    await register("a");
    const { lists, stop } = follow(hub);
    await clock.settle();
    await register("b");
    await clock.settle(49);
    await register("c");
    expect(lists).toEqual(["a"]);
    await clock.settle(1);
    expect(lists).toEqual(["a", "abc"]);
    await register("d");
    await clock.settle(50);
    expect(lists).toEqual(["a", "abc", "abcd"]);
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

  it("gives a slow watcher the newest list only", async () => {
    const { hub, register } = fixture();
    const lists = hub.watch("mnist", new AbortController().signal)[Symbol.asyncIterator]();
    await lists.next();
    for (const name of "abc") await register(name);
    const { value } = await lists.next();
    expect(value.instances.length).toBe(3);
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
    const { clock, hub, register } = fixture();
    const watches = [follow(hub), follow(hub)];
    await clock.settle();
    await register("a");
    hub.close();
    hub.close();
    for (const { ended } of watches) {
      expect(await ended).toMatchObject({ reason: "DRAINING", code: 14 });
    }
    expect(await follow(hub).ended).toMatchObject({ reason: "DRAINING" });
    expect(clock.pending().filter(({ dueMs }) => dueMs < clock.now() + 20_000)).toEqual([]);
  });
});
