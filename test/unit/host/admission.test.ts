import { describe, expect, it } from "vitest";
import { CallAbort } from "../../../src/core/call-abort.js";
import type { Invocation } from "../../../src/core/invocation.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createAdmission } from "../../../src/host/admission.js";

function call(bytes = 0): Invocation {
  const abort = new CallAbort();
  return {
    door: "eas",
    service: "",
    method: "POST",
    path: "",
    query: "",
    metadata: emptyMetadata,
    peer: "",
    arrivedMs: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
    payloads: new Uint8Array(bytes),
    takesPieces: true,
    abort,
    giveUp: (reason) => abort.abort(reason),
  };
}

const options = { maxRunning: 1, maxQueueLength: 2, maxQueueBytes: 100 };

describe("createAdmission", () => {
  it("gives places at once, then in order of arrival", async () => {
    const admission = createAdmission(options);
    const first = admission.enter(call());
    expect(first).toBeTypeOf("function");
    const order: string[] = [];
    const second = Promise.resolve(admission.enter(call())).then((release) => {
      order.push("second");
      return release;
    });
    const third = Promise.resolve(admission.enter(call())).then(() => order.push("third"));
    expect(admission).toMatchObject({ running: 1, queueLength: 2 });
    (first as () => void)();
    const release = await second;
    expect(order).toEqual(["second"]);
    release();
    await third;
    expect(order).toEqual(["second", "third"]);
    expect(admission).toMatchObject({ running: 1, queueLength: 0, queueBytes: 0 });
  });

  it("refuses by count and by bytes, and counts neither of those it refused", () => {
    const admission = createAdmission(options);
    void admission.enter(call());
    void admission.enter(call(60));
    expect(() => admission.enter(call(50))).toThrow(/hold 60 bytes, this one has 50, at most 100/);
    void admission.enter(call(40));
    expect(() => admission.enter(call())).toThrow(/2 calls are waiting, at most 2 may/);
    expect(admission).toMatchObject({ queueLength: 2, queueBytes: 100 });
  });

  it("lets a waiting call leave from anywhere, and never starts it", async () => {
    const admission = createAdmission(options);
    const release = admission.enter(call()) as () => void;
    const leaving = call(10);
    const waiting = Promise.resolve(admission.enter(leaving));
    const behind = Promise.resolve(admission.enter(call(20)));
    const reason = servingError("CANCELLED", "gone");
    leaving.giveUp(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(admission).toMatchObject({ queueLength: 1, queueBytes: 20 });
    release();
    await behind;
    expect(admission.running).toBe(1);
  });

  it("refuses what was given up before it came", () => {
    const given = call();
    given.giveUp(servingError("DEADLINE_EXCEEDED", "late"));
    expect(() => createAdmission(options).enter(given)).toThrow("late");
  });
});
