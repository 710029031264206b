import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { createRegistration, type Registration } from "../../../src/host/registration.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { connectTo, FakeDirectory } from "../../support/registration-directory.js";

interface Fixture {
  readonly clock: FakeClock;
  readonly directories: readonly [FakeDirectory, FakeDirectory];
  readonly warnings: string[];
  readonly infos: string[];
  /** Starts a host; all of them use all directories. */
  host(options?: {
    name?: string;
    port?: number;
    leaseTtlMs?: number;
    jitter?: number;
  }): Registration;
}

function fixture(): Fixture {
  const clock = createFakeClock();
  const directories = [new FakeDirectory(clock, 1), new FakeDirectory(clock, 2)] as const;
  const warnings: string[] = [];
  const infos: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (_: object, message: string) => warnings.push(message),
    info: (_: object, message: string) => infos.push(message),
  };
  return {
    clock,
    directories,
    warnings,
    infos,
    host({ name = "a", port = 80, leaseTtlMs = 10_000, jitter = 0.5 } = {}) {
      const registration = createRegistration({
        directories: directories.map(({ endpoint }) => endpoint),
        token: undefined,
        tls: undefined,
        service: "mnist",
        instance: instanceOf({ name, host: "10.0.0.1", port }),
        leaseTtlMs,
        clock,
        random: () => jitter,
        logger,
        connect: connectTo(directories),
      });
      registration.start();
      return registration;
    },
  };
}

const a = ["a@10.0.0.1:80"];
const stillHolds = "could not renew the registration, which still holds";

describe("createRegistration: several directories", () => {
  it("is listed by all of them, also by one that was down and comes back", async () => {
    const { clock, directories, host } = fixture();
    const [one, two] = directories;
    one.state = "down";
    host();
    await clock.settle();
    expect([one.listed("mnist"), two.listed("mnist")]).toEqual([[], a]);
    await clock.settle(60_000);
    one.state = "up";
    await clock.settle(6_000);
    expect([one.listed("mnist"), two.listed("mnist")]).toEqual([a, a]);
    await clock.settle(60_000);
    expect([one.listed("mnist"), two.listed("mnist")]).toEqual([a, a]);
  });

  it("gives every lease back, also that of a directory which was mute for a while", async () => {
    const { clock, directories, host } = fixture();
    const [one, two] = directories;
    const registration = host({ leaseTtlMs: 30_000 });
    await clock.settle();
    one.state = "mute";
    await clock.settle(14_000);
    one.state = "up";
    const stopped = registration.stop();
    await clock.settle(4_000);
    await stopped;
    expect([one.listed("mnist"), two.listed("mnist")]).toEqual([[], []]);
    expect([one.openTransports, two.openTransports]).toEqual([0, 0]);
  });

  it("stops although a directory does not answer", async () => {
    const { clock, directories, host } = fixture();
    const registration = host();
    await clock.settle();
    directories[0].state = "mute";
    let stopped = false;
    void registration.stop().then(() => {
      stopped = true;
    });
    await clock.settle(1_700);
    expect([stopped, directories[1].listed("mnist")]).toEqual([true, []]);
  });
});

describe("createRegistration: directories that share a store", () => {
  function sharing(): Fixture {
    const world = fixture();
    world.directories[1].shareStoreOf(world.directories[0]);
    return world;
  }

  it("shows all of them the same holder, which no other registration has", async () => {
    const { clock, directories, host } = sharing();
    host();
    await clock.settle();
    host({ name: "b" });
    await clock.settle();
    const [first, second] = directories[0].holders;
    expect(directories[1].holders).toEqual([first, second]);
    expect(first).toMatch(/^[\x21-\x7e]{16,128}$/);
    expect(first).not.toBe(second);
  });

  it("has one lease, which none of them takes from the other", async () => {
    const { clock, directories, warnings, host } = sharing();
    const registration = host();
    await clock.settle(60_000);
    registration.setWeight(7);
    await clock.settle(60_000);
    expect(warnings).toEqual([]);
    expect(directories[0].instances("mnist").map(({ weight }) => weight)).toEqual([7]);
  });

  it.each(["mute", "down", "failing"] as const)(
    "keeps it while one of them is %s, and when that one is back",
    async (state) => {
      const { clock, directories, warnings, host } = sharing();
      const [one, two] = directories;
      host();
      await clock.settle(1_000);
      one.state = state;
      for (let seconds = 0; seconds < 60; seconds += 1) {
        await clock.settle(1_000);
        expect(two.listed("mnist")).toEqual(a);
      }
      one.state = "up";
      await clock.settle(60_000);
      expect(warnings).toEqual([stillHolds]);
      expect(one.calls.filter(({ method }) => method === "Register")).toHaveLength(1);
    },
  );

  it("renews again, and does not register, when both could not reach the store for a while", async () => {
    const { clock, directories, host } = sharing();
    host({ leaseTtlMs: 60_000 });
    await clock.settle(1_000);
    for (const directory of directories) directory.state = "failing";
    await clock.settle(30_000);
    for (const directory of directories) directory.state = "up";
    await clock.settle(30_000);
    for (const { calls } of directories) {
      expect(calls.filter(({ method }) => method === "Register")).toHaveLength(1);
    }
  });

  it("is taken off once, although a renewal is under way at the other one", async () => {
    const { clock, directories, warnings, host } = sharing();
    const [one, two] = directories;
    const registration = host({ leaseTtlMs: 6_000 });
    await clock.settle(1_000);
    two.delayMs = 500;
    await clock.settle(1_200);
    const stopped = registration.stop();
    await clock.settle(3_000);
    await stopped;
    expect(one.listed("mnist")).toEqual([]);
    expect(two.calls.map(({ method }) => method)).toEqual(["Register", "KeepAlive"]);
    expect(warnings).toEqual([]);
  });

  it("leaves it to the process that takes over, although a renewal is under way", async () => {
    const { clock, directories, host } = sharing();
    const [one, two] = directories;
    const old = host({ leaseTtlMs: 6_000 });
    await clock.settle(1_000);
    two.delayMs = 500;
    await clock.settle(1_200);
    host({ leaseTtlMs: 6_000, port: 81 });
    old.leave();
    await clock.settle(10_000);
    expect(one.listed("mnist")).toEqual(["a@10.0.0.1:81"]);
    expect(new Set(one.holders).size).toBe(2);
    expect(two.holders).toHaveLength(2);
  });
});

describe("createRegistration: a lease", () => {
  it.each([2_000, 4_000, 10_000, 300_000])(
    "of %d ms outlives two tries to renew it that are not answered, whatever the jitter",
    async (leaseTtlMs) => {
      for (const jitter of [0, 0.5, 0.999]) {
        const { clock, directories, host } = fixture();
        const [one] = directories;
        host({ leaseTtlMs, jitter });
        await clock.settle();
        one.state = "mute";
        const known = one.calls.length;
        while (one.calls.length < known + 2) await clock.settle(1);
        await clock.settle((one.calls.at(-1)?.timeoutMs ?? 0) - 1);
        one.state = "up";
        await clock.settle(1);
        while (one.calls.length < known + 3) await clock.settle(1);
        expect(one.calls.slice(known).map(({ method }) => method)).toEqual(
          Array.from({ length: 3 }, () => "KeepAlive"),
        );
        await clock.settle(1);
        expect(one.listed("mnist")).toEqual(a);
      }
    },
  );

  it("of any length is renewed every 5 s at least, so that a directory's restart is noticed", async () => {
    const { clock, directories, host } = fixture();
    host({ leaseTtlMs: 300_000 });
    await clock.settle(60_000);
    directories[0].restart();
    await clock.settle(5_000);
    expect(directories[0].listed("mnist")).toEqual(a);
  });

  it("is renewed after a third of it when that is sooner", async () => {
    const { clock, directories, host } = fixture();
    host({ leaseTtlMs: 3_000 });
    const startMs = clock.now();
    await clock.settle(2_500);
    expect(directories[0].calls.map(({ atMs }) => atMs - startMs)).toEqual([0, 1_000, 2_000]);
  });

  it("is made anew over a new connection after a failure", async () => {
    const { clock, directories, host } = fixture();
    const [one] = directories;
    host();
    await clock.settle();
    one.state = "down";
    await clock.settle(30_000);
    one.restart();
    one.state = "up";
    await clock.settle(6_000);
    expect([one.listed("mnist"), one.openTransports]).toEqual([a, 1]);
  });
});

describe("createRegistration: setWeight", () => {
  const weights = (directory: FakeDirectory): readonly number[] =>
    directory.instances("mnist").map(({ weight }) => weight);

  it("changes the listed weight in one step, and keeps the lease renewed", async () => {
    const { clock, directories, host } = fixture();
    const registration = host();
    await clock.settle();
    registration.setWeight(7);
    registration.setWeight(8);
    await clock.settle();
    expect(directories.map(weights)).toEqual([[8], [8]]);
    await clock.settle(60_000);
    expect(directories.map(weights)).toEqual([[8], [8]]);
  });

  it("tells a directory that was down when it is back", async () => {
    const { clock, directories, host } = fixture();
    const [one] = directories;
    const registration = host({ leaseTtlMs: 300_000 });
    await clock.settle();
    one.state = "down";
    registration.setWeight(7);
    await clock.settle(20_000);
    expect(weights(one)).toEqual([100]);
    one.state = "up";
    await clock.settle(20_000);
    expect(weights(one)).toEqual([7]);
    await registration.stop();
    expect(weights(one)).toEqual([]);
  });
});

describe("createRegistration: warnings", () => {
  it("warns once as long as the same goes wrong", async () => {
    const { clock, directories, warnings, host } = fixture();
    directories[0].state = "down";
    host();
    await clock.settle(60_000);
    expect(warnings).toEqual(["could not register"]);
  });

  it("warns once whatever goes wrong until it is well, and says that it is", async () => {
    const { clock, directories, warnings, infos, host } = fixture();
    const [one, two] = directories;
    two.state = "down";
    host({ leaseTtlMs: 30_000 });
    await clock.settle(10_000);
    expect(warnings.splice(0)).toEqual(["could not register"]);
    two.state = "up";
    await clock.settle(10_000);
    expect(infos.splice(0)).toEqual(["registered", "registered"]);
    for (const state of ["failing", "mute", "failing", "down"] as const) {
      one.state = state;
      await clock.settle(7_000);
    }
    one.state = "up";
    await clock.settle(10_000);
    expect(warnings).toEqual([stillHolds]);
    expect(infos).toEqual(["registration renewed"]);
  });

  it("takes one lost lease for a restart of the directory", async () => {
    const { clock, directories, warnings, host } = fixture();
    host();
    await clock.settle(60_000);
    directories[0].restart();
    await clock.settle(60_000);
    expect(warnings).toEqual(["the directory has forgotten the registration: registering anew"]);
  });

  it("suspects another host of the same name when leases go on being lost", async () => {
    const { clock, warnings, host } = fixture();
    host({ port: 80, leaseTtlMs: 300_000 });
    await clock.settle(1_000);
    host({ port: 81, leaseTtlMs: 300_000 });
    await clock.settle(12_000);
    expect(warnings.filter((message) => message.includes("another host probably"))).not.toEqual([]);
  });
});
