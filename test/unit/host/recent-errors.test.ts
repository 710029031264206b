import { describe, expect, it } from "vitest";
import { errorCatalog } from "../../../src/core/error-catalog.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { type ServingError, servingError } from "../../../src/core/serving-error.js";
import type { EndedCall } from "../../../src/door/invoker.js";
import type { CallEnd } from "../../../src/host/call-metrics.js";
import { createRecentErrors } from "../../../src/host/recent-errors.js";
import { createFakeClock } from "../../support/fake-clock.js";

const call: EndedCall = {
  door: "eas",
  method: "POST",
  service: "",
  metadata: emptyMetadata,
  peer: "127.0.0.1:1",
  arrivedMs: 0,
};
const end = (status: string, error: ServingError | undefined): CallEnd => ({
  call,
  method: "POST other",
  status,
  error,
  durationMs: 1,
});

describe("createRecentErrors", () => {
  it("remembers the last 100, newest first", () => {
    const clock = createFakeClock();
    const errors = createRecentErrors(clock);
    for (let n = 0; n < 250; n++) {
      errors.onEnd(end("450", servingError("QUEUE_FULL", `full ${n}`)));
      clock.advance(1);
      const read = errors.list();
      expect(read).toHaveLength(Math.min(n + 1, 100));
      expect(read[0]).toEqual({
        atMs: 1_000_000 + n,
        door: "eas",
        method: "POST other",
        status: "450",
        reason: "QUEUE_FULL",
        message: `full ${n}`,
      });
      expect(read.at(-1)?.message).toBe(`full ${Math.max(0, n - 99)}`);
    }
  });

  it("never repeats what a processor said", () => {
    const errors = createRecentErrors(createFakeClock());
    errors.onEnd(end("400", servingError("PROCESSOR_THREW", "no such patient: Jane")));
    errors.onEnd(end("200", undefined));
    errors.onEnd(end("503", servingError("QUEUE_FULL", "x".repeat(300))));
    expect(errors.list().map(({ message }) => message)).toEqual([
      "x".repeat(200),
      errorCatalog.PROCESSOR_THREW.meaning,
    ]);
  });
});
