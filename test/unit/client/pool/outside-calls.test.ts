import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InstanceList } from "../../../../src/client/pool/instance-list.js";
import { InstancePool } from "../../../../src/client/pool/instance-pool.js";
import {
  type AmbientCall,
  ambientCall,
  runOnBehalfOf,
  setAmbientHolder,
} from "../../../../src/core/ambient-call.js";
import { silentLogger } from "../../../../src/core/ports.js";
import { seededRandom } from "../../../../src/core/seeded-random.js";
import { instanceFrom } from "../../../support/client-channel.js";
import { FakeTransports } from "../../../support/client-fake-transport.js";
import { createFakeClock } from "../../../support/fake-clock.js";
import { defaultPoolPolicy } from "../../../support/pool-policy.js";

const served: AmbientCall = {
  trace: undefined,
  remainingMs: () => 1_000,
  signal: new AbortController().signal,
};

describe("what the first call of a pool begins", () => {
  beforeEach(() => {
    let current: AmbientCall | undefined;
    setAmbientHolder({
      run(call, work) {
        const before = current;
        current = call;
        try {
          return work();
        } finally {
          current = before;
        }
      },
      current: () => current,
    });
  });

  afterEach(() => setAmbientHolder(undefined));

  it("is not begun on behalf of the call that is served: connections, timers, the list", () => {
    const seen: string[] = [];
    const see = (what: string): void => {
      seen.push(`${what} ${ambientCall() === undefined ? "outside" : "inside"}`);
    };
    const transports = new FakeTransports();
    transports.askable = true;
    const clock = createFakeClock();
    const pool = new InstancePool({
      createTransport(instance) {
        see("transport");
        const transport = transports.create(instance);
        transport.onState((state) => {
          if (state === "connecting") see(state);
        });
        return transport;
      },
      clock: {
        now: () => clock.now(),
        after(ms, run, options) {
          see("timer");
          return clock.after(ms, run, options);
        },
      },
      random: seededRandom(3),
      logger: silentLogger,
      policy: defaultPoolPolicy,
      onEjected() {},
    });
    const list = new InstanceList(
      {
        name: "list",
        service: "s",
        start: () => see("list"),
        close: () => Promise.resolve(),
      },
      { clock, logger: silentLogger },
      () => {},
    );
    runOnBehalfOf(served, () => {
      list.start();
      pool.update([instanceFrom("1")]);
      expect(pool.pick()?.transport).toBeDefined();
      transports.to("127.0.0.1:1").become("failed");
      expect(ambientCall()).toBe(served);
    });
    pool.close();
    expect(new Set(seen)).toEqual(
      new Set(["list outside", "transport outside", "timer outside", "connecting outside"]),
    );
  });
});
