import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { metadataText } from "../../../src/core/metadata.js";
import { silentLogger } from "../../../src/core/ports.js";
import { Status } from "../../../src/core/status.js";
import {
  createDirectorySource,
  type DirectorySourceOptions,
} from "../../../src/resolve/directory-source.js";
import type { Source } from "../../../src/resolve/source.js";
import { parseTarget } from "../../../src/resolve/target/target.js";
import type { UpstreamList } from "../../../src/wire/upstream.js";
import {
  createFakeDirectories,
  type FakeDifference,
  type FakeDirectories,
} from "../../support/directory-fake-transport.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

const a = instanceOf({ name: "a", host: "10.0.0.1", port: 80 });
const b = instanceOf({ name: "b", host: "10.0.0.2", port: 80, weight: 50 });
const c = instanceOf({ name: "c", host: "10.0.0.3", port: 80 });

interface Fixture {
  readonly clock: FakeClock;
  readonly directories: FakeDirectories;
  readonly recorder: SourceRecorder;
  readonly source: Source;
}

async function started(
  text = "directory://one:8100/mnist",
  options: Partial<DirectorySourceOptions> = {},
): Promise<Fixture> {
  const clock = createFakeClock();
  const directories = createFakeDirectories();
  const recorder = createSourceRecorder();
  const target = parseTarget(text);
  if (target.kind !== "directory") throw new Error(text);
  const source = createDirectorySource(target, {
    clock,
    logger: silentLogger,
    random: () => 0.5,
    pollIntervalMs: 5_000,
    connect: directories.connect,
    ...options,
  });
  source.start(recorder);
  await clock.settle();
  return { clock, directories, recorder, source };
}

describe("createDirectorySource", () => {
  it("watches the service and follows its list", async () => {
    const { directories, recorder, source } = await started();
    expect(directories.last).toMatchObject({
      directory: "one:8100",
      start: {
        path: "/inferwire.upstream.v1.UpstreamService/WatchUpstreams",
        timeoutMs: Number.POSITIVE_INFINITY,
      },
    });
    directories.last?.send({ instances: [a, b] });
    expect(recorder.last).toMatchObject({
      version: 1,
      service: "mnist",
      source: "directory://one:8100/mnist",
      stale: false,
      instances: [a, b],
    });
    directories.last?.send({ instances: [b] });
    expect(recorder.listed()).toEqual(["10.0.0.2:80=50"]);
    directories.last?.send({ instances: [b] });
    expect(recorder.snapshots.length).toBe(2);
    await source.close();
    expect(directories.last?.open).toBe(false);
    expect(directories.openTransports).toBe(0);
  });

  it("empties its list when the directory says that there is nobody", async () => {
    const { directories, recorder, source } = await started();
    directories.last?.send({ instances: [a] });
    directories.last?.send({ instances: [] });
    expect(recorder.last).toMatchObject({ version: 2, instances: [], stale: false });
    expect(recorder.errors).toEqual([]);
    await source.close();
  });

  it("says that a service is unknown as long as there never was a list, and waits", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ known: false });
    expect(recorder.errors).toMatchObject([{ reason: "SERVICE_UNKNOWN", name: "DiscoveryError" }]);
    await clock.settle(5_000);
    expect(directories.watches.length).toBe(1);
    directories.last?.send({ instances: [a] });
    directories.last?.send({ known: false });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last?.stale).toBe(true);
    expect(recorder.errors.length).toBe(1);
    await source.close();
  });

  it("keeps its list when the watch ends, and comes back with growing, jittered waits", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ instances: [a] });
    directories.last?.end();
    expect(recorder.last).toMatchObject({ version: 2, stale: true, instances: [a] });
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    expect(recorder.errors[0]?.message).toContain("directory one:8100");
    directories.refusal = { message: "refused" };
    const times: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 10) {
      const before = directories.watches.length;
      await clock.settle(10);
      if (directories.watches.length > before) times.push(ms + 10);
    }
    expect(times.slice(0, 4)).toEqual([200, 520, 1_040, 1_860]);
    const [beforeLast = 0, last = 0] = times.slice(-2);
    expect(last - beforeLast).toBe(5_000);
    expect(recorder.last?.version).toBe(2);
    directories.refusal = undefined;
    while (directories.last?.open !== true) await clock.settle(100);
    directories.last.send({ instances: [a] });
    expect(recorder.last).toMatchObject({ version: 3, stale: false });
    await source.close();
  });

  it("starts over with short waits only when a watch has lasted", async () => {
    const { clock, directories, source } = await started();
    const waitForWatch = async (): Promise<number> => {
      const before = directories.watches.length;
      const start = clock.now();
      while (directories.watches.length === before) await clock.settle(10);
      return clock.now() - start;
    };
    directories.last?.send({ instances: [a] });
    directories.last?.end();
    expect(await waitForWatch()).toBe(200);
    directories.last?.send({ instances: [a] });
    directories.last?.end();
    expect(await waitForWatch()).toBe(320);
    directories.last?.send({ instances: [a] });
    await clock.settle(10_000);
    directories.last?.end();
    expect(await waitForWatch()).toBe(200);
    await source.close();
  });

  it("goes on to the next directory, and keeps the list meanwhile", async () => {
    const { clock, directories, recorder, source } = await started(
      "directory://one:8100,two:8100,three:8100/mnist",
    );
    expect(directories.last?.directory).toBe("two:8100");
    directories.last?.send({ instances: [a] });
    directories.last?.end();
    await clock.settle(200);
    expect(directories.last?.directory).toBe("three:8100");
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    directories.last?.end();
    await clock.settle(320);
    expect(directories.last?.directory).toBe("one:8100");
    directories.last?.send({ instances: [a] });
    expect(recorder.last?.stale).toBe(false);
    expect(directories.openTransports).toBe(1);
    await source.close();
  });

  it("asks another directory when one does not know the service", async () => {
    const { clock, directories, recorder, source } = await started(
      "directory://one:8100,two:8100/mnist",
    );
    directories.last?.send({ known: false });
    await clock.settle(200);
    expect(directories.watches.map(({ directory }) => directory)).toEqual(["two:8100", "one:8100"]);
    expect(directories.watches[0]?.open).toBe(false);
    directories.last?.send({ instances: [a] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await source.close();
  });

  it("takes a directory that sends no list within 5 s, or nothing for 25 s, for gone", async () => {
    const { clock, directories, recorder, source } = await started();
    await clock.settle(5_000);
    expect(recorder.errors[0]?.message).toContain("sent nothing for 5000 ms");
    await clock.settle(200);
    for (let i = 0; i < 5; i++) {
      directories.last?.send({ instances: [a] });
      await clock.settle(10_000);
    }
    expect(directories.watches.length).toBe(2);
    expect(recorder.last?.stale).toBe(false);
    await clock.settle(15_000);
    expect(recorder.errors[1]?.message).toContain("sent nothing for 25000 ms");
    expect(recorder.last?.stale).toBe(true);
    expect(directories.watches[1]?.open).toBe(false);
    await source.close();
  });

  it("calls the list of a directory that sends differences stale after 5 s of silence, and leaves it after 10 s", async () => {
    const { clock, directories, recorder, source } = await started();
    const watch = directories.last;
    watch?.send({ version: "v1", instances: [a] });
    await clock.settle(9_000);
    watch?.sendDifference("v1", { version: "v1" });
    expect(recorder.last?.stale).toBe(false);
    await clock.settle(4_999);
    expect(recorder.last?.stale).toBe(false);
    await clock.settle(1);
    expect([recorder.last?.stale, watch?.open]).toEqual([true, true]);
    watch?.sendDifference("v1", { version: "v1" });
    expect(recorder.last).toMatchObject({ stale: false, confirmedAtMs: clock.now() });
    await clock.settle(9_999);
    expect([recorder.errors, watch?.open]).toEqual([[], true]);
    await clock.settle(1);
    expect(recorder.errors[0]?.message).toContain("sent nothing for 10000 ms");
    expect(watch?.open).toBe(false);
    await clock.settle(200);
    directories.last?.send({ version: "v2", instances: [a] });
    await clock.settle(24_000);
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("sends the token of the moment, and takes a token that fails for a failure", async () => {
    let token = "first";
    const { clock, directories, recorder, source } = await started(undefined, {
      directoryToken: async () => {
        if (token === "") throw new Error("vault is sealed");
        return token;
      },
    });
    const sent = (): (string | undefined)[] =>
      directories.watches.map(({ start }) => metadataText(start.metadata, "authorization"));
    directories.last?.end();
    token = "";
    await clock.settle(200);
    expect(recorder.errors[1]?.message).toContain("vault is sealed");
    token = "second";
    await clock.settle(320);
    expect(sent()).toEqual(["first", "second"]);
    await source.close();
  });

  it("takes a list of which nothing makes sense for a failure", async () => {
    const { directories, recorder, source } = await started();
    directories.last?.send({ instances: [a] });
    directories.last?.send({ instances: [{ ...b, host: "nowhere" }] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    directories.last?.send({ instances: [a, { ...b, host: "nowhere" }] });
    expect(recorder.last).toMatchObject({ instances: [a], rejected: 1, stale: false });
    await source.close();
  });

  it("names the status when it is refused", async () => {
    const { directories, recorder, source } = await started();
    directories.last?.end({
      code: Status.UNAUTHENTICATED,
      reason: "UNAUTHENTICATED",
      remote: true,
    });
    expect(recorder.errors[0]?.message).toContain("UNAUTHENTICATED");
    await source.close();
  });

  it("is silent after close, whatever was under way", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ instances: [a] });
    await source.close();
    await source.close();
    await clock.settle(60_000);
    expect(recorder.snapshots.length).toBe(1);
    expect(recorder.errors).toEqual([]);
    expect(directories.watches.length).toBe(1);
    expect(clock.pending()).toEqual([]);
  });
});

describe("after a new connection", () => {
  async function reconnected(): Promise<Fixture> {
    const fixture = await started();
    fixture.directories.last?.send({ instances: [a, b] });
    fixture.directories.last?.end();
    await fixture.clock.settle(200);
    return fixture;
  }

  it("a list adds at once, and removes only after 15 s", async () => {
    const { clock, directories, recorder, source } = await reconnected();
    directories.last?.send({ known: false });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=50"]);
    await clock.settle(3_000);
    directories.last?.send({ instances: [c] });
    expect(recorder.listed().length).toBe(3);
    expect(recorder.last?.stale).toBe(true);
    directories.last?.send({ instances: [a] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=50"]);
    await clock.settle(14_999);
    directories.last?.send({ instances: [a] });
    expect(recorder.listed().length).toBe(2);
    await clock.settle(1);
    directories.last?.send({ instances: [a] });
    expect(recorder.last).toMatchObject({ instances: [a], stale: false });
    directories.last?.send({ instances: [] });
    expect(recorder.last).toMatchObject({ instances: [], stale: false });
    await source.close();
  });

  it("a list that misses nobody is fresh, and only who has joined since may go", async () => {
    const { clock, directories, recorder, source } = await reconnected();
    directories.last?.send({ instances: [a, b, c] });
    expect(recorder.last).toMatchObject({ instances: [a, b, c], stale: false });
    directories.last?.send({ instances: [a] });
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
    await clock.settle(15_000);
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
    directories.last?.send({ instances: [a] });
    expect(recorder.last).toMatchObject({ instances: [a], stale: false });
    await source.close();
  });

  it("an instance that has moved is not kept at its old address", async () => {
    const { directories, recorder, source } = await reconnected();
    const moved = instanceOf({ name: "b", host: "10.0.0.2", port: 81 });
    directories.last?.send({ instances: [moved] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:81=100"]);
    await source.close();
  });

  it("nothing is removed while there is no connection", async () => {
    const { clock, directories, recorder, source } = await reconnected();
    directories.last?.send({ instances: [a] });
    directories.refusal = {};
    directories.last?.end();
    await clock.settle(60_000);
    expect(recorder.listed().length).toBe(2);
    expect(recorder.last?.stale).toBe(true);
    await source.close();
  });
});

describe("differences", () => {
  const moved = instanceOf({ name: "b", host: "10.0.0.2", port: 81 });

  async function listed(): Promise<Fixture> {
    const fixture = await started();
    fixture.directories.last?.send({ version: "v1", instances: [a, b] });
    return fixture;
  }

  it("are asked for, and lead on from the list before", async () => {
    const { clock, directories, recorder, source } = await listed();
    const watch = directories.last;
    expect(watch?.asked).toEqual({ service: "mnist", differences: true });
    watch?.sendDifference("v1", { version: "v2", instances: [{ ...a, weight: 0 }, c] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=0", "10.0.0.2:80=50", "10.0.0.3:80=100"]);
    watch?.sendDifference("v2", { version: "v3", instances: [moved], removed: [b.key, "nobody"] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=0", "10.0.0.2:81=100", "10.0.0.3:80=100"]);
    expect(recorder.changes.at(-1)).toEqual({ changed: [moved], removed: [b.key] });
    await clock.settle(1_000);
    watch?.sendDifference("v3", { version: "v3" });
    expect(recorder.confirmed.at(-1)?.confirmedAtMs).toBe(clock.now());
    expect([recorder.snapshots.length, recorder.errors]).toEqual([3, []]);
    await source.close();
  });

  it.each<[string, string, FakeDifference, string]>([
    ["leads on from another list", "v0", { instances: [c] }, 'from version "v0", expected "v1"'],
    [
      "has an item that makes no sense",
      "v1",
      { instances: [c, { ...a, weight: -1 }] },
      "weight is -1",
    ],
    ["is of a list that is not known", "v1", { known: false }, "does not know"],
  ])(
    "one that %s ends the watch, and the next one begins with the list",
    async (_, since, difference, why) => {
      const { clock, directories, recorder, source } = await listed();
      directories.last?.sendDifference(since, { version: "v2", ...difference });
      expect(recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
      expect(recorder.errors[0]?.message).toContain("directory one:8100: sent a difference");
      expect(recorder.errors[0]?.message).toContain(why);
      expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
      await clock.settle(200);
      expect(directories.watches.length).toBe(2);
      directories.last?.send({ version: "v2", instances: [a, b, c] });
      expect(recorder.last).toMatchObject({ instances: [a, b, c], stale: false });
      await source.close();
    },
  );

  it.each<[string, Partial<UpstreamList>]>([
    ["nothing", {}],
    ["an unknown service", { known: false }],
    ["a list of which nothing makes sense", { instances: [{ ...b, host: "nowhere" }] }],
  ])("cannot follow %s", async (what, before) => {
    const { directories, recorder, source } = await started();
    if (what !== "nothing") directories.last?.send({ version: "v1", ...before });
    directories.last?.sendDifference("v1", { version: "v2", instances: [c] });
    expect(recorder.errors.at(-1)?.message).toContain("sent a difference before a list");
    expect(recorder.snapshots).toEqual([]);
    await source.close();
  });

  it("that add without end are left, and the last good list is kept", async () => {
    const { clock, directories, recorder, source } = await listed();
    let version = 1;
    for (let turn = 0; turn < 12; turn++) {
      const instances = Array.from({ length: 10_000 }, (_, port) =>
        instanceOf({ host: `10.1.0.${turn}`, port: port + 1 }),
      );
      directories.last?.sendDifference(`v${version}`, { version: `v${version + 1}`, instances });
      version += 1;
    }
    expect(recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    expect([recorder.listed().length, recorder.last?.stale]).toEqual([90_002, true]);
    expect(directories.watches[0]?.open).toBe(false);
    await clock.settle(200);
    directories.last?.send({ version: "w1", instances: [a], settled: true });
    expect(recorder.last).toMatchObject({ instances: [a], stale: false });
    await source.close();
  });

  it("are taken while who is missing is kept for some time", async () => {
    const { clock, directories, recorder, source } = await listed();
    directories.last?.end();
    await clock.settle(200);
    directories.last?.send({ version: "w1", instances: [] });
    directories.last?.sendDifference("w1", { version: "w2", instances: [c, { ...a, weight: 1 }] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=1", "10.0.0.2:80=50", "10.0.0.3:80=100"]);
    expect(recorder.last?.stale).toBe(true);
    for (let repeat = 0; repeat < 4; repeat++) {
      await clock.settle(4_000);
      directories.last?.sendDifference("w2", { version: "w2" });
    }
    expect(recorder.listed()).toEqual(["10.0.0.1:80=1", "10.0.0.3:80=100"]);
    expect(recorder.last?.stale).toBe(false);
    directories.last?.sendDifference("w2", { version: "w3", removed: [c.key] });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=1"]);
    await source.close();
  });
});

describe("what a directory says of itself", () => {
  it("settled: who is missing from the first list is gone at once", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ instances: [a, b] });
    directories.last?.end();
    await clock.settle(200);
    directories.last?.send({ version: "v1", instances: [a], settled: true });
    expect(recorder.last).toMatchObject({ instances: [a], stale: false });
    await source.close();
  });

  it("settled later: the time in which who is missing is kept ends then", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ instances: [a, b] });
    directories.last?.end();
    await clock.settle(200);
    directories.last?.send({ version: "v1", instances: [a] });
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
    directories.last?.sendDifference("v1", { version: "v2", settled: true });
    expect(recorder.last).toMatchObject({ instances: [a], stale: false });
    await source.close();
  });

  it("stale: its list is taken for what was known last, and that is said once", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ version: "v1", instances: [a], settled: true });
    const confirmedAtMs = clock.now();
    await clock.settle(5_000);
    directories.last?.sendDifference("v1", { version: "v2", stale: true, settled: true });
    expect(recorder.last).toMatchObject({ instances: [a], stale: true, confirmedAtMs });
    for (let repeat = 0; repeat < 3; repeat++) {
      await clock.settle(9_000);
      directories.last?.sendDifference("v2", { version: "v2", stale: true, settled: true });
    }
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    expect(recorder.errors[0]?.message).toContain("cannot reach its store");
    expect([recorder.snapshots.length, directories.watches.length]).toEqual([2, 1]);
    directories.last?.sendDifference("v2", { version: "v3", settled: true });
    expect(recorder.last).toMatchObject({ version: 3, stale: false, confirmedAtMs: clock.now() });
    await source.close();
  });

  it("stale: it takes nothing from what another directory said, however long that lasts", async () => {
    const { clock, directories, recorder, source } = await started();
    directories.last?.send({ instances: [a, b] });
    directories.last?.end();
    await clock.settle(200);
    directories.last?.send({ version: "v1", instances: [a], settled: true, stale: true });
    await clock.settle(20_000);
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
    directories.last?.sendDifference("v1", { version: "v2", settled: true });
    expect(recorder.last).toMatchObject({ instances: [a], stale: false });
    await source.close();
  });

  it("no longer settled: who goes on the same connection is kept until it is, at most 15 s", async () => {
    const { clock, directories, recorder, source } = await started();
    const watch = directories.last;
    watch?.send({ version: "v1", instances: [a, b], settled: true });
    watch?.sendDifference("v1", { version: "v2", stale: true, settled: true });
    watch?.sendDifference("v2", { version: "v3" });
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: false });
    watch?.sendDifference("v3", { version: "v4", removed: [a.key, b.key] });
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
    watch?.sendDifference("v4", { version: "v5", instances: [a] });
    watch?.sendDifference("v5", { version: "v6", instances: [c] });
    expect(recorder.last).toMatchObject({ instances: [a, b, c], stale: true });
    watch?.sendDifference("v6", { version: "v7", settled: true });
    expect(recorder.last).toMatchObject({ instances: [a, c], stale: false });
    watch?.send({ version: "v8", instances: [], settled: false });
    expect(recorder.listed().length).toBe(2);
    for (let repeat = 0; repeat < 4; repeat++) {
      expect(recorder.listed().length).toBe(2);
      await clock.settle(4_000);
      watch?.sendDifference("v8", { version: "v8" });
    }
    expect(recorder.last).toMatchObject({ instances: [], stale: false });
    await source.close();
  });

  it("not settled after it was stale for long: that time begins anew", async () => {
    const { clock, directories, recorder, source } = await started();
    const watch = directories.last;
    watch?.send({ version: "v1", instances: [a, b], settled: true });
    watch?.sendDifference("v1", { version: "v2", stale: true });
    for (let repeat = 0; repeat < 5; repeat++) {
      await clock.settle(4_000);
      watch?.sendDifference("v2", { version: "v2", stale: true });
    }
    watch?.sendDifference("v2", { version: "v3", removed: [a.key] });
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: true });
    watch?.sendDifference("v3", { version: "v4", removed: [b.key] });
    watch?.sendDifference("v4", { version: "v5", instances: [a, b] });
    expect(recorder.last).toMatchObject({ instances: [a, b], stale: false });
    await source.close();
  });

  it("stale for 10 s: another directory is asked", async () => {
    const { clock, directories, source } = await started("directory://one:8100,two:8100/mnist");
    directories.last?.send({ instances: [a], stale: true });
    await clock.settle(9_000);
    directories.last?.send({ instances: [a], stale: true });
    expect(directories.watches.length).toBe(1);
    await clock.settle(1_000);
    directories.last?.send({ instances: [a], stale: true });
    await clock.settle(200);
    expect(directories.watches.map(({ directory }) => directory)).toEqual(["two:8100", "one:8100"]);
    await source.close();
  });

  it("stale and without the service: that it cannot know is what is said", async () => {
    const { directories, recorder, source } = await started();
    directories.last?.send({ known: false, stale: true });
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    await source.close();
  });
});
