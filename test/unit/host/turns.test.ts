import { describe, expect, it } from "vitest";
import { CallAbort } from "../../../src/core/call-abort.js";
import { servingError } from "../../../src/core/serving-error.js";
import { Turns } from "../../../src/host/turns.js";
import { flushPromises } from "../../support/fake-clock.js";

/** Lets so many begin, each in a turn of the event loop of its own. */
async function begins(count: number): Promise<void> {
  for (let turn = 0; turn <= count; turn++) await flushPromises();
}

describe("Turns", () => {
  it("lets so many work at a time, the others in order, and leaves out who gave up", async () => {
    const turns = new Turns(2);
    const begun: string[] = [];
    const ends = new Map<string, (failure?: Error) => void>();
    const aborts = new Map<string, CallAbort>();
    const take = (name: string): Promise<string> => {
      const abort = new CallAbort();
      aborts.set(name, abort);
      return turns.take(abort, () => {
        begun.push(name);
        return new Promise((resolve, reject) => {
          ends.set(name, (failure) => (failure === undefined ? resolve(name) : reject(failure)));
        });
      });
    };
    const all = ["a", "b", "c", "d", "e"].map((name) => take(name).catch((e: Error) => e.message));
    aborts.get("c")?.abort(servingError("CANCELLED", "gone"));
    expect(await all[2]).toBe("gone");
    expect(turns.ahead).toBe(2);
    await begins(2);
    expect(begun).toEqual(["a", "b"]);
    ends.get("b")?.(new Error("no good"));
    await begins(2);
    expect(begun).toEqual(["a", "b", "d"]);
    ends.get("a")?.();
    ends.get("d")?.();
    await begins(2);
    ends.get("e")?.();
    expect(await Promise.all(all)).toEqual(["a", "no good", "gone", "d", "e"]);
    const two = [take("f"), take("g")];
    await begins(2);
    expect(begun).toEqual(["a", "b", "d", "e", "f", "g"]);
    for (const name of ["f", "g"]) ends.get(name)?.();
    await Promise.all(two);
  });

  it("tells how many wait, from when somebody has to", async () => {
    const turns = new Turns(2);
    const seen = [turns.ahead];
    const abort = new CallAbort();
    const all = Array.from({ length: 4 }, () => {
      const taken = turns.take(abort, async () => "done");
      seen.push(turns.ahead);
      return taken;
    });
    expect(seen).toEqual([undefined, undefined, 0, 1, 2]);
    await Promise.all(all);
    expect(turns.ahead).toBeUndefined();
  });

  it("lets the rest of the process run between two that begin", async () => {
    const turns = new Turns(3);
    const events: string[] = [];
    let rounds = 0;
    const round = (): void => {
      events.push("round");
      if (++rounds < 20) setImmediate(round);
    };
    setImmediate(round);
    const abort = new CallAbort();
    const work = async (): Promise<void> => {
      events.push("work");
    };
    await Promise.all(Array.from({ length: 8 }, () => turns.take(abort, work)));
    expect(events.filter((event) => event === "work")).toHaveLength(8);
    expect(events.join(" ")).not.toContain("work work");
  });

  it("begins nothing for who leaves when the turn has come, and goes on", async () => {
    const turns = new Turns(1);
    const abort = new CallAbort();
    let begun = false;
    const left = turns.take(abort, async () => {
      begun = true;
    });
    abort.abort(servingError("CANCELLED", "gone"));
    await expect(left).rejects.toThrow("gone");
    expect(begun).toBe(false);
    expect(await turns.take(new CallAbort(), async () => "done")).toBe("done");
  });

  it("never begins what was given up before", async () => {
    const turns = new Turns(1);
    const never = turns.take(new CallAbort(), () => new Promise(() => {}));
    const abort = new CallAbort();
    abort.abort(servingError("CANCELLED", "gone"));
    await expect(turns.take(abort, async () => "done")).rejects.toThrow("gone");
    expect(never).toBeInstanceOf(Promise);
  });
});
