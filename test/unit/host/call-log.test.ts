import { describe, expect, it } from "vitest";
import type { Reason } from "../../../src/core/error-catalog.js";
import type { Logger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";
import { createCallLog, MAX_LINES_A_SECOND } from "../../../src/host/call-log.js";
import { requestIdOf } from "../../../src/processor/request-id.js";
import { endedCall } from "../../support/ended-call.js";
import { createFakeClock } from "../../support/fake-clock.js";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

function createLog(callLogRatio = 0) {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
  const clock = createFakeClock();
  const log = createCallLog({ logger, clock, callLogRatio });
  const fail = (reason: Reason, code?: Status) =>
    log.onEnd({
      call: endedCall(),
      method: "/p.S/M",
      status: "X",
      error: servingError(reason, "why", code === undefined ? {} : { code }),
      durationMs: 1,
    });
  return { lines, clock, log, fail };
}

const traceId = "0af7651916cd43dd8448eb211c80319c";

describe("createCallLog", () => {
  it("says in one line what is known of a call that failed", () => {
    const { lines, log } = createLog();
    const call = {
      ...endedCall({ traceparent: `00-${traceId}-b7ad6b7169203331-01` }),
      service: "echo",
    };
    const error = servingError("QUEUE_FULL", "64 calls are waiting");
    log.onEnd({ call, method: "/p.S/M", status: "UNAVAILABLE", error, durationMs: 1.23456 });
    expect(lines).toEqual([
      {
        level: "warn",
        message: "call failed",
        fields: {
          door: "grpc",
          method: "/p.S/M",
          service: "echo",
          status: "UNAVAILABLE",
          durationMs: 1.235,
          peer: "127.0.0.1:9",
          requestId: requestIdOf(call),
          traceId,
          reason: "QUEUE_FULL",
          message: "64 calls are waiting",
        },
      },
    ]);
  });

  it.each([
    ["PROCESSOR_THREW", undefined, "warn"],
    ["PROCESSOR_THREW", Status.INVALID_ARGUMENT, "info"],
    ["PROCESSOR_BAD_ANSWER", undefined, "warn"],
    ["LANE_DIED", undefined, "warn"],
    ["DEADLINE_EXCEEDED", undefined, "warn"],
    ["RATE_LIMITED", undefined, "warn"],
    ["REQUEST_QUARANTINED", undefined, "warn"],
    ["CANCELLED", undefined, "info"],
    ["UNAUTHENTICATED", undefined, "info"],
    ["MALFORMED_REQUEST", undefined, "info"],
    ["MESSAGE_TOO_LARGE", undefined, "info"],
    ["UNKNOWN_ROUTE", undefined, "info"],
    ["DRAINING", undefined, "info"],
  ] as const)("writes %s with code %s as %s", (reason, code, level) => {
    const { lines, fail } = createLog();
    fail(reason, code);
    expect(lines.map((line) => line.level)).toEqual([level]);
  });

  it("writes so many lines a second, then counts, and says how many", () => {
    const { lines, clock, fail } = createLog();
    for (let i = 0; i < MAX_LINES_A_SECOND + 7; i++) fail("QUEUE_FULL");
    fail("CANCELLED");
    expect(lines).toHaveLength(MAX_LINES_A_SECOND);
    clock.advance(1_000);
    expect(lines.at(-1)).toEqual({
      level: "warn",
      message: "lines of failed calls suppressed",
      fields: { calls: 8, reasons: { QUEUE_FULL: 7, CANCELLED: 1 } },
    });
    fail("QUEUE_FULL");
    expect(lines.at(-1)?.message).toBe("call failed");
    expect(clock.pending()).toEqual([]);
  });

  it("says what is unsaid when it is closed, and leaves no timer", () => {
    const { lines, clock, log, fail } = createLog();
    for (let i = 0; i < MAX_LINES_A_SECOND + 1; i++) fail("QUEUE_FULL");
    log.close();
    expect(lines.at(-1)?.fields).toEqual({ calls: 1, reasons: { QUEUE_FULL: 1 } });
    expect(clock.pending()).toEqual([]);
  });

  it.each([
    [0, 0],
    [0.25, 25],
    [1, 100],
  ])("writes a share of %d of the calls that went well: %i of 100", (ratio, expected) => {
    const { lines, log } = createLog(ratio);
    expect(log.everyCall).toBe(ratio > 0);
    const end = { call: endedCall(), method: "/p.S/M", status: "OK", durationMs: 1 };
    if (log.everyCall) for (let i = 0; i < 100; i++) log.onEnd({ ...end, error: undefined });
    expect(lines.filter(({ message }) => message === "call served")).toHaveLength(expected);
  });
});
