import { describe, expect, it } from "vitest";
import { emptyMetadata, metadataOf } from "../../../src/core/metadata.js";
import { Status, statusFromHttp, statusName } from "../../../src/core/status.js";
import { brokenEnd, httpEnd } from "../../../src/transport/http-end.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const hostSays = (error: object): Uint8Array => bytes(`${JSON.stringify({ error })}\n`);

describe("httpEnd: what a status says", () => {
  it.each([
    [201, "UNKNOWN", "CALL_FAILED"],
    [204, "UNKNOWN", "CALL_FAILED"],
    [302, "UNKNOWN", "CALL_FAILED"],
    [400, "INVALID_ARGUMENT", "CALL_FAILED"],
    [401, "UNAUTHENTICATED", "UNAUTHENTICATED"],
    [403, "PERMISSION_DENIED", "CALL_FAILED"],
    [404, "NOT_FOUND", "CALL_FAILED"],
    [405, "UNIMPLEMENTED", "CALL_FAILED"],
    [408, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"],
    [409, "ABORTED", "CALL_FAILED"],
    [412, "FAILED_PRECONDITION", "CALL_FAILED"],
    [413, "RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"],
    [416, "OUT_OF_RANGE", "CALL_FAILED"],
    [418, "UNKNOWN", "CALL_FAILED"],
    [429, "RESOURCE_EXHAUSTED", "RATE_LIMITED"],
    [431, "RESOURCE_EXHAUSTED", "CALL_FAILED"],
    [450, "UNAVAILABLE", "QUEUE_FULL"],
    [499, "CANCELLED", "CALL_FAILED"],
    [500, "INTERNAL", "CALL_FAILED"],
    [501, "UNIMPLEMENTED", "CALL_FAILED"],
    [502, "UNAVAILABLE", "CALL_FAILED"],
    [503, "UNAVAILABLE", "CALL_FAILED"],
    [504, "DEADLINE_EXCEEDED", "CALL_FAILED"],
    [505, "UNKNOWN", "CALL_FAILED"],
  ] as const)("%i is %s, %s", (status, code, reason) => {
    const body = bytes("as it is");
    const end = httpEnd(status, emptyMetadata, body);
    expect(statusName(end.code)).toBe(code);
    expect(statusName(statusFromHttp(status))).toBe(code);
    expect(end).toMatchObject({ reason, remote: true, message: `HTTP ${status}: as it is` });
    expect(end.http).toEqual({ status, body, retryAfterMs: undefined });
  });

  it.each([
    [503, "no healthy upstream", "CALL_REFUSED"],
    [503, "<p>No healthy upstream</p>", "CALL_REFUSED"],
    [503, "", "CALL_FAILED"],
    [503, "busy", "CALL_FAILED"],
    [502, "no healthy upstream", "CALL_FAILED"],
    [404, "no healthy upstream", "CALL_FAILED"],
  ])("%i with %j is %s", (status, body, reason) => {
    expect(httpEnd(status, emptyMetadata, bytes(body)).reason).toBe(reason);
  });
});

describe("httpEnd: what a host says", () => {
  it("takes reason, code, message and when to come back from its body", () => {
    const error = {
      code: "UNAVAILABLE",
      reason: "DRAINING",
      message: "is stopping",
      retryAfterMs: 40,
    };
    expect(httpEnd(503, metadataOf({ "retry-after": "1" }), hostSays(error))).toMatchObject({
      code: Status.UNAVAILABLE,
      reason: "DRAINING",
      message: "HTTP 503: is stopping",
      http: { status: 503, retryAfterMs: 40 },
    });
  });

  it("takes the status for what the body leaves out", () => {
    const end = httpEnd(429, emptyMetadata, hostSays({ reason: "ALREADY_RUNNING" }));
    expect(end).toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: "ALREADY_RUNNING" });
    expect(end.message).toContain("HTTP 429: {");
  });

  it.each<[string, Uint8Array]>([
    ["no reason", hostSays({ code: "UNAVAILABLE", message: "m" })],
    ["an unknown reason", hostSays({ reason: "toString" })],
    ["a reason that is no text", hostSays({ reason: { a: 1 } })],
    ["no object", bytes('{"error": "DRAINING"}')],
    ["half an object", bytes('{"error": {"reason": "DRAINING"')],
    ["null", bytes('{"error": null}')],
    ["a list", bytes('[{"error": {"reason": "DRAINING"}}]')],
    ["something huge", hostSays({ reason: "DRAINING", message: "x".repeat(70_000) })],
  ])("is not fooled by %s", (_name, body) => {
    expect(httpEnd(503, emptyMetadata, body).reason).toBe("CALL_FAILED");
  });

  it.each([
    [{ code: "NO_CODE", retryAfterMs: -1, message: 5 }],
    [{ code: "toString", retryAfterMs: "soon" }],
    [{ code: 14, retryAfterMs: null }],
  ])("leaves out what makes no sense in %j", (fields) => {
    const end = httpEnd(503, emptyMetadata, hostSays({ reason: "NOT_READY", ...fields }));
    expect(end).toMatchObject({ code: Status.UNAVAILABLE, reason: "NOT_READY" });
    expect(end.http?.retryAfterMs).toBeUndefined();
  });

  it.each([
    ["3", 3_000],
    ["0", 0],
    ["Sat, 21 Nov 2026 10:00:00 GMT", undefined],
    ["-1", undefined],
    ["99999999999", undefined],
  ])("reads Retry-After %j as %s", (text, ms) => {
    const end = httpEnd(503, metadataOf({ "retry-after": text }), bytes("busy"));
    expect(end.http?.retryAfterMs).toBe(ms);
  });
});

describe("httpEnd: what is shown of a body", () => {
  it.each([
    ["", "HTTP 500 without a body"],
    ["  \n ", "HTTP 500 without a body"],
    ["one\r\ntwo\tthree\u0000\u001b[31m", "HTTP 500: one two three [31m"],
    ["x".repeat(200), `HTTP 500: ${"x".repeat(200)}`],
    ["x".repeat(201), `HTTP 500: ${"x".repeat(200)}...`],
    ["\u{1F600}".repeat(300), `HTTP 500: ${"\u{1F600}".repeat(200)}...`],
  ])("shows %j", (body, message) => {
    expect(httpEnd(500, emptyMetadata, bytes(body)).message).toBe(message);
  });

  it.each([
    ["s3cret", 'a "s3cret" b'],
    ["Bearer s3cret", "authorization: Bearer s3cret"],
    ["EAS s3cret", '{"error":{"reason":"CALL_FAILED","message":"s3cret"}}'],
  ])("never shows the authorization that was sent: %s", (authorization, body) => {
    const { message } = httpEnd(500, emptyMetadata, bytes(body), authorization);
    expect(message).toContain("***");
    expect(message).not.toContain("s3cret");
  });

  it("keeps the body whole, and copes with one that is no text", () => {
    const body = Uint8Array.from({ length: 1_000 }, (_, i) => i % 256);
    const end = httpEnd(500, emptyMetadata, body);
    expect(end.http?.body).toBe(body);
    expect(end.message).not.toMatch(/\p{Cc}/u);
  });
});

describe("brokenEnd", () => {
  const error = (fields: object): Error => Object.assign(new Error("it broke"), fields);
  it.each([
    [error({ code: "ECONNRESET" }), "CONNECTION_LOST"],
    [error({ code: "UND_ERR_SOCKET" }), "CONNECTION_LOST"],
    [error({ code: "UND_ERR_RES_CONTENT_LENGTH_MISMATCH" }), "CONNECTION_LOST"],
    [error({ code: "UND_ERR_SOCKET", message: "bad upgrade" }), "ANSWER_MALFORMED"],
    [error({ code: "UND_ERR_SOCKET", message: "bad response" }), "ANSWER_MALFORMED"],
    [error({}), "CONNECTION_LOST"],
    [error({ name: "HTTPParserError", message: "(Invalid EOF state)" }), "CONNECTION_LOST"],
    [error({ name: "HTTPParserError" }), "ANSWER_MALFORMED"],
    [error({ code: "UND_ERR_HEADERS_OVERFLOW" }), "ANSWER_MALFORMED"],
    [error({ code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" }), "CONNECT_FAILED"],
    [error({ code: "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE" }), "CONNECT_FAILED"],
    [error({ code: "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE" }), "CONNECT_FAILED"],
    [error({ code: "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA" }), "CONNECT_FAILED"],
    [error({ code: "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR" }), "CONNECTION_LOST"],
    [error({ code: "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" }), "CONNECTION_LOST"],
  ])("takes %o for %s", (thrown, reason) => {
    expect(brokenEnd(thrown)).toMatchObject({ reason, remote: false });
  });
});
