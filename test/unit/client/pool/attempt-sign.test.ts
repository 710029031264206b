import { describe, expect, it } from "vitest";
import { type AttemptSign, signOf } from "../../../../src/client/pool/attempt-sign.js";
import { errorCatalog, type Reason } from "../../../../src/core/error-catalog.js";
import { Status, type StatusName } from "../../../../src/core/status.js";
import { type Ending, endOf } from "../../../support/client-fake-transport.js";

const sign = (reason: Reason | undefined, ending: Ending = {}): AttemptSign =>
  signOf(endOf(reason, ending));

describe("signOf", () => {
  it("takes an answer for one", () => {
    expect(sign(undefined)).toBe("good");
  });

  // reason; when this side has seen it, when an instance has named it (with the reason's own status)
  const reasons: Readonly<Record<Reason, readonly [AttemptSign, AttemptSign]>> = {
    INVALID_OPTION: ["none", "good"],
    UNKNOWN_OPTION: ["none", "good"],
    INVALID_TARGET: ["none", "good"],
    NO_INSTANCE: ["none", "bad"],
    LIST_TIMEOUT: ["none", "bad"],
    SERVICE_UNKNOWN: ["none", "bad"],
    DIRECTORY_FAILED: ["none", "bad"],
    UPSTREAM_MALFORMED: ["none", "bad"],
    CALL_FAILED: ["bad", "bad"],
    CONNECT_FAILED: ["none", "bad"],
    CALL_REFUSED: ["none", "none"],
    CONNECTION_LOST: ["bad", "bad"],
    DEADLINE_EXCEEDED: ["late", "late"],
    CANCELLED: ["given-up", "none"],
    CLIENT_CLOSED: ["none", "none"],
    ANSWER_MALFORMED: ["bad", "bad"],
    PROCESSOR_THREW: ["none", "bad"],
    PROCESSOR_BAD_ANSWER: ["none", "bad"],
    INITIALIZE_FAILED: ["none", "bad"],
    QUEUE_FULL: ["none", "none"],
    RATE_LIMITED: ["none", "none"],
    LANE_DIED: ["none", "bad"],
    REQUEST_QUARANTINED: ["none", "good"],
    DRAINING: ["none", "none"],
    NOT_READY: ["none", "none"],
    ABORTED_BY_STOP: ["none", "none"],
    UNAUTHENTICATED: ["none", "good"],
    FORBIDDEN: ["none", "good"],
    MESSAGE_TOO_LARGE: ["none", "none"],
    HEADERS_TOO_LARGE: ["none", "none"],
    MALFORMED_REQUEST: ["none", "good"],
    UNKNOWN_ROUTE: ["none", "good"],
    UNKNOWN_SERVICE: ["none", "good"],
    UNKNOWN_BUILTIN: ["none", "good"],
    UNKNOWN_FUNCTION: ["none", "good"],
    UNKNOWN_PROPERTY: ["none", "good"],
    PROPERTY_REFUSED: ["none", "good"],
    ALREADY_RUNNING: ["none", "none"],
    METHOD_NOT_ALLOWED: ["none", "good"],
    STREAM_NEEDED: ["none", "good"],
    LEASE_UNKNOWN: ["none", "good"],
    SHARES_CHANGED: ["none", "good"],
    STORE_FAILED: ["none", "bad"],
    STORE_DAMAGED: ["none", "bad"],
    STORE_IN_USE: ["none", "good"],
    ADDRESS_IN_USE: ["none", "bad"],
    UNKNOWN_CONTENT_TYPE: ["none", "good"],
    NOT_OVER_WEB: ["none", "good"],
    PROTO_INVALID: ["none", "good"],
    GENERATED_STALE: ["none", "good"],
    PEER_MISSING: ["none", "good"],
    INTERNAL: ["none", "bad"],
  };

  it.each(Object.entries(reasons))("reads %s, seen here and named, as %s", (name, expected) => {
    const reason = name as Reason;
    expect([sign(reason), sign(reason, { remote: true })]).toEqual(expected);
  });

  it("has a row for every reason", () => {
    expect(Object.keys(reasons).sort()).toEqual(Object.keys(errorCatalog).sort());
  });

  // What an instance answers with when it names no reason.
  const statuses: Readonly<Record<Exclude<StatusName, "OK">, AttemptSign>> = {
    CANCELLED: "none",
    UNKNOWN: "bad",
    INVALID_ARGUMENT: "good",
    DEADLINE_EXCEEDED: "late",
    NOT_FOUND: "good",
    ALREADY_EXISTS: "good",
    PERMISSION_DENIED: "good",
    RESOURCE_EXHAUSTED: "none",
    FAILED_PRECONDITION: "good",
    ABORTED: "good",
    OUT_OF_RANGE: "good",
    UNIMPLEMENTED: "good",
    INTERNAL: "bad",
    UNAVAILABLE: "bad",
    DATA_LOSS: "bad",
    UNAUTHENTICATED: "good",
  };

  it.each(Object.entries(statuses))("reads the status %s as %s", (name, expected) => {
    const code = Status[name as StatusName];
    expect(sign("CALL_FAILED", { code, remote: true })).toBe(expected);
  });

  // status over HTTP, the reason and the code that the transport makes of it, sign
  const http: readonly (readonly [number, Reason, StatusName, AttemptSign])[] = [
    [400, "CALL_FAILED", "INVALID_ARGUMENT", "good"],
    [400, "PROCESSOR_THREW", "UNKNOWN", "bad"],
    [401, "UNAUTHENTICATED", "UNAUTHENTICATED", "good"],
    [404, "CALL_FAILED", "NOT_FOUND", "good"],
    [408, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "late"],
    [413, "MESSAGE_TOO_LARGE", "RESOURCE_EXHAUSTED", "good"],
    [418, "CALL_FAILED", "UNKNOWN", "good"],
    [429, "RATE_LIMITED", "RESOURCE_EXHAUSTED", "none"],
    [450, "QUEUE_FULL", "UNAVAILABLE", "none"],
    [500, "CALL_FAILED", "INTERNAL", "bad"],
    [501, "CALL_FAILED", "UNIMPLEMENTED", "good"],
    [502, "CALL_FAILED", "UNAVAILABLE", "bad"],
    [503, "CALL_FAILED", "UNAVAILABLE", "bad"],
    [503, "CALL_REFUSED", "UNAVAILABLE", "none"],
    [503, "QUEUE_FULL", "UNAVAILABLE", "none"],
    [503, "NOT_READY", "UNAVAILABLE", "none"],
    [504, "CALL_FAILED", "DEADLINE_EXCEEDED", "late"],
    [520, "CALL_FAILED", "UNKNOWN", "bad"],
  ];

  it.each(http)("reads HTTP %i with %s (%s) as %s", (httpStatus, reason, name, expected) => {
    expect(sign(reason, { httpStatus, code: Status[name], remote: true })).toBe(expected);
  });
});
