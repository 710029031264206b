import { describe, expect, it } from "vitest";
import { reasonNotToBegin } from "../../../src/core/reason-not-to-begin.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { invocationOf } from "../../support/invocations.js";

describe("reasonNotToBegin", () => {
  it("is that the call's time is over, or why it was given up", () => {
    const clock = createFakeClock();
    expect(reasonNotToBegin(invocationOf(), clock)).toBeUndefined();
    const call = invocationOf({ deadlineMs: clock.now() + 1 });
    expect(reasonNotToBegin(call, clock)).toBeUndefined();
    clock.advance(1);
    expect(reasonNotToBegin(call, clock)?.reason).toBe("DEADLINE_EXCEEDED");
    const gone = servingError("CANCELLED", "gone");
    call.giveUp(gone);
    expect(reasonNotToBegin(call, clock)).toBe(gone);
  });
});
