import { describe, expect, it } from "vitest";
import { pushbackOf } from "../../../../src/client/call/pushback.js";
import { decideRetry, type FailedAttempt } from "../../../../src/client/call/retry-policy.js";
import { errorCatalog, type Reason } from "../../../../src/core/error-catalog.js";
import { metadataOf } from "../../../../src/core/metadata.js";
import { Status } from "../../../../src/core/status.js";
import { type Ending, endOf } from "../../../support/client-fake-transport.js";

type Facts = Partial<Omit<FailedAttempt, "end">>;

function decide(reason: Reason | undefined, facts: Facts = {}, ending: Ending = {}) {
  return decideRetry({
    end: endOf(reason, ending),
    attempts: 1,
    maxAttempts: 3,
    answerBegun: false,
    requestKept: true,
    idempotent: false,
    remainingMs: 1_000,
    otherInstance: true,
    restMs: Number.NEGATIVE_INFINITY,
    othersUnderWay: false,
    forbidden: false,
    ...facts,
  });
}

const remote = { remote: true };

describe("decideRetry: which ends are safe to repeat", () => {
  // reason, what is special about it, tried again as it is, tried again when idempotent
  const cases: readonly [Reason, Ending, boolean, boolean][] = [
    ["CONNECT_FAILED", {}, true, true],
    ["CALL_REFUSED", {}, true, true],
    ["QUEUE_FULL", remote, true, true],
    ["DRAINING", remote, true, true],
    ["NOT_READY", remote, true, true],
    ["CONNECTION_LOST", {}, false, true],
    ["ABORTED_BY_STOP", remote, false, true],
    ["CALL_FAILED", { ...remote, code: Status.UNAVAILABLE }, false, true],
    ["CALL_FAILED", { ...remote, code: Status.UNKNOWN }, false, false],
    ["CALL_FAILED", { ...remote, code: Status.INTERNAL }, false, false],
    ["CALL_FAILED", { ...remote, code: Status.RESOURCE_EXHAUSTED }, false, false],
    ["PROCESSOR_THREW", remote, false, false],
    ["DEADLINE_EXCEEDED", {}, false, false],
    ["CANCELLED", {}, false, false],
    ["CLIENT_CLOSED", {}, false, false],
    ["ANSWER_MALFORMED", {}, false, false],
    ["UNAUTHENTICATED", remote, false, false],
    ["MESSAGE_TOO_LARGE", {}, false, false],
  ];

  it.each(cases)("%s %j: as it is %s, idempotent %s", (reason, ending, plain, idempotent) => {
    expect(decide(reason, {}, ending).retry).toBe(plain);
    expect(decide(reason, { idempotent: true }, ending).retry).toBe(idempotent);
  });

  // status, reason, tried again as it is, tried again when idempotent
  const answers: readonly [number, Reason, boolean, boolean][] = [
    [450, "QUEUE_FULL", true, true],
    [450, "CALL_FAILED", true, true],
    [503, "CALL_REFUSED", true, true],
    [503, "DRAINING", true, true],
    [503, "NOT_READY", true, true],
    [503, "CALL_FAILED", false, true],
    [503, "LANE_DIED", false, true],
    [500, "CALL_FAILED", false, true],
    [500, "DRAINING", false, true],
    [501, "CALL_FAILED", false, true],
    [502, "CALL_FAILED", false, true],
    [504, "CALL_FAILED", false, true],
    [429, "RATE_LIMITED", false, false],
    [400, "CALL_FAILED", false, false],
    [401, "UNAUTHENTICATED", false, false],
    [404, "DRAINING", false, false],
    [408, "DEADLINE_EXCEEDED", false, false],
    [499, "CALL_FAILED", false, false],
    [201, "CALL_FAILED", false, false],
    [302, "CALL_FAILED", false, false],
  ];

  it.each(answers)(
    "HTTP %i, %s: as it is %s, idempotent %s",
    (status, reason, plain, idempotent) => {
      const ending = { ...remote, httpStatus: status, code: Status.UNAVAILABLE };
      expect(decide(reason, {}, ending).retry).toBe(plain);
      expect(decide(reason, { idempotent: true }, ending).retry).toBe(idempotent);
      expect(decide(reason, { idempotent: true, maxAttempts: 1 }, ending).retry).toBe(false);
    },
  );

  it.each(cases)("%s %j: never against what stands in the way", (reason, ending) => {
    const inTheWay: readonly Facts[] = [
      { answerBegun: true },
      { requestKept: false },
      { forbidden: true },
      { attempts: 3, otherInstance: false },
      { maxAttempts: 1 },
      { remainingMs: 0 },
    ];
    for (const facts of inTheWay) {
      expect(decide(reason, { idempotent: true, ...facts }, ending).retry).toBe(false);
    }
  });

  it("does not count what never left while there is an untried instance, unless there is to be one attempt", () => {
    expect(decide("CONNECT_FAILED", { attempts: 3 })).toMatchObject({
      retry: true,
      counted: false,
    });
    expect(decide("CONNECT_FAILED", { attempts: 2, otherInstance: false })).toMatchObject({
      retry: true,
      counted: true,
    });
    expect(decide("CONNECT_FAILED", { attempts: 3, otherInstance: false }).retry).toBe(false);
    expect(decide("CONNECT_FAILED", { attempts: 3 }, remote).retry).toBe(false);
    expect(decide("CONNECT_FAILED", { maxAttempts: 1 }).retry).toBe(false);
    expect(decide("CALL_REFUSED")).toMatchObject({ retry: true, counted: true });
  });

  it("follows the catalogue for every reason", () => {
    for (const [reason, { safeToRepeat }] of Object.entries(errorCatalog)) {
      expect(decide(reason as Reason).retry).toBe(safeToRepeat);
    }
  });
});

describe("decideRetry: how long to wait, and who pays", () => {
  it("leaves those that were tried alone for as long as they said, also after one that was never reached", () => {
    const unreached = decide("CONNECT_FAILED", { otherInstance: false, restMs: 290 });
    expect(unreached).toMatchObject({ retry: true, delayMs: 290, restMs: 0, budgeted: false });
    const elsewhere = decide("CONNECT_FAILED", { otherInstance: true, restMs: 290 });
    expect(elsewhere).toMatchObject({ retry: true, delayMs: 0 });
  });

  const pushback = (text: string): Ending => ({
    ...remote,
    trailers: { "grpc-retry-pushback-ms": text },
  });

  it.each([
    ["no pushback, another instance", {}, {}, { retry: true, delayMs: 0 }],
    ["no pushback, the same instance", { otherInstance: false }, {}, { delayMs: 50 }],
    ["the second time", { otherInstance: false, attempts: 2 }, {}, { delayMs: 100 }],
    ["pushback, another instance", {}, pushback("300"), { retry: true, delayMs: 0 }],
    ["pushback, same", { otherInstance: false }, pushback("300"), { retry: true, delayMs: 300 }],
    ["pushback 0, same", { otherInstance: false }, pushback("0"), { retry: true, delayMs: 10 }],
    ["past the deadline", { otherInstance: false }, pushback("1000"), { retry: false }],
    ["negative", {}, pushback("-1"), { retry: false }],
    ["no number", {}, pushback("soon"), { retry: false }],
    ["half a number", {}, pushback("10ms"), { retry: false }],
    ["empty", {}, pushback(""), { retry: false }],
    ["absurd", {}, pushback("99999999999999999999"), { retry: false }],
    ["the largest", {}, pushback("2147483647"), { retry: true, delayMs: 0 }],
    ["the largest, same", { otherInstance: false }, pushback("2147483647"), { retry: false }],
    ["more than 32 bits", {}, pushback("2147483648"), { outcome: "server-said-no" }],
    ["leading zeros", {}, pushback("0300"), { outcome: "server-said-no" }],
    ["others under way", { othersUnderWay: true }, pushback("300"), { delayMs: 300 }],
    ["others under way, none", { othersUnderWay: true }, {}, { retry: true, delayMs: 0 }],
  ] as const)("%s", (_name, facts, ending, expected) => {
    expect(decide("QUEUE_FULL", facts, ending)).toMatchObject(expected);
  });

  it.each([
    ["another instance", {}, 300, { retry: true, delayMs: 0 }],
    ["the same", { otherInstance: false }, 300, { retry: true, delayMs: 300 }],
    ["the same, at once", { otherInstance: false }, 0, { retry: true, delayMs: 10 }],
    ["the same, when it does not say", { otherInstance: false }, undefined, { delayMs: 50 }],
    ["past the deadline", { otherInstance: false }, 1_000, { retry: false }],
  ] as const)("waits as an answer over HTTP says: %s", (_name, facts, retryAfterMs, expected) => {
    const ending = { ...remote, httpStatus: 450, retryAfterMs };
    expect(decide("QUEUE_FULL", facts, ending)).toMatchObject(expected);
  });

  it("charges the budget for everything that reached a server", () => {
    expect(decide("CONNECT_FAILED", { otherInstance: false })).toMatchObject({
      retry: true,
      delayMs: 0,
      budgeted: false,
      counted: true,
    });
    expect(decide("CALL_REFUSED").budgeted).toBe(true);
    // A host that says so of its own next hop is a server that did something.
    expect(decide("CONNECT_FAILED", {}, remote).budgeted).toBe(true);
  });
});

describe("decideRetry: why there is no other attempt", () => {
  const never = { ...remote, trailers: { "grpc-retry-pushback-ms": "-1" } };
  const lost = { ...remote, code: Status.UNAVAILABLE };

  it.each([
    ["an answer that no other attempt would change", "PROCESSOR_THREW", {}, remote, "answered"],
    ["the same from a safe method", "PROCESSOR_THREW", { idempotent: true }, remote, "answered"],
    ["work may have been done", "CONNECTION_LOST", {}, {}, "not-safe-to-repeat"],
    ["the same, as the instance tells it", "CALL_FAILED", {}, lost, "not-safe-to-repeat"],
    ["this side's own limit", "DEADLINE_EXCEEDED", {}, {}, "given-up"],
    ["the instance's limit", "DEADLINE_EXCEEDED", {}, remote, "answered"],
    ["the caller", "CANCELLED", {}, {}, "given-up"],
    ["the end of the client", "CLIENT_CLOSED", {}, {}, "given-up"],
    ["headers at the app", "CALL_REFUSED", { answerBegun: true }, {}, "answer-begun"],
    ["a long request", "CALL_REFUSED", { requestKept: false }, {}, "request-not-kept"],
    ["all attempts made", "CALL_REFUSED", { attempts: 3 }, {}, "attempts-used-up"],
    ["one attempt allowed", "CONNECT_FAILED", { maxAttempts: 1 }, {}, "attempts-used-up"],
    ["pushback", "QUEUE_FULL", {}, never, "server-said-no"],
    ["pushback to an earlier one", "QUEUE_FULL", { forbidden: true }, remote, "server-said-no"],
    [
      "no time to wait",
      "QUEUE_FULL",
      { otherInstance: false, remainingMs: 50 },
      remote,
      "no-time-left",
    ],
    ["nothing", "QUEUE_FULL", {}, remote, "repeated"],
  ] as const)("%s", (_name, reason, facts, ending, outcome) => {
    expect(decide(reason, facts, ending).outcome).toBe(outcome);
  });

  it("ends the call at once for what must not be repeated, not for what cannot be", () => {
    expect(decide("PROCESSOR_THREW", {}, remote).final).toBe(true);
    expect(decide("DEADLINE_EXCEEDED").final).toBe(true);
    expect(decide("CALL_REFUSED", { attempts: 3 }).final).toBe(false);
    expect(decide("QUEUE_FULL", {}, never).final).toBe(false);
  });

  it("takes a pushback that is said twice for none at all", () => {
    const twice = metadataOf([
      ["grpc-retry-pushback-ms", "10"],
      ["grpc-retry-pushback-ms", "20"],
    ]);
    expect(pushbackOf({ ...endOf("QUEUE_FULL", remote), trailers: twice })).toBe("never");
  });

  it("leaves at least 10 ms before the same instance, whatever it says", () => {
    for (const text of ["0", "1", "9"]) {
      const ending = { ...remote, trailers: { "grpc-retry-pushback-ms": text } };
      expect(decide("QUEUE_FULL", { otherInstance: false }, ending).delayMs).toBe(10);
    }
  });
});
