import { describe, expect, it } from "vitest";
import { retryAfter, retryAfterMs } from "../../../src/core/retry-after.js";
import { servingError } from "../../../src/core/serving-error.js";
import { errorJson, errorReply } from "../../../src/server/http-errors.js";
import { rpcStatusOf } from "../../../src/server/rpc-errors.js";

const pushback = (details: Record<string, unknown>) =>
  servingError("RATE_LIMITED", "slow down", { details: { secret: "s3cret", ...details } });

describe("retryAfterMs", () => {
  it.each([
    [0, 1],
    [0.2, 1],
    [-5, 1],
    [1, 1],
    [250.1, 251],
    [5_000, 5_000],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ["1000", undefined],
    [undefined, undefined],
  ])("reads %j as %j", (ms, expected) => {
    expect(retryAfterMs(pushback({ retryAfterMs: ms }))).toBe(expected);
  });

  it("reads what retryAfter wrote", () => {
    expect(retryAfterMs(servingError("QUEUE_FULL", "full", retryAfter(70)))).toBe(70);
    expect(retryAfterMs(servingError("QUEUE_FULL", "full"))).toBeUndefined();
  });
});

describe("rpcStatusOf", () => {
  it("sends the pushback of any error that has one, and nothing else of its details", () => {
    const { trailers } = rpcStatusOf(pushback({ retryAfterMs: 249.5 }));
    expect([...(trailers?.entries() ?? [])]).toEqual([
      ["inferwire-reason", "RATE_LIMITED"],
      ["grpc-retry-pushback-ms", "250"],
    ]);
  });

  it("sends none for an error without", () => {
    const { trailers } = rpcStatusOf(servingError("QUEUE_FULL", "full"));
    expect([...(trailers?.entries() ?? [])]).toEqual([["inferwire-reason", "QUEUE_FULL"]]);
  });
});

describe("errorReply", () => {
  it.each([
    [1, "1"],
    [1_000, "1"],
    [1_001, "2"],
    [4_999, "5"],
  ])(
    "sends %d ms as Retry-After: %s and in the body, and nothing else of its details",
    (ms, seconds) => {
      const reply = errorReply(pushback({ retryAfterMs: ms }));
      expect(reply.status).toBe(429);
      expect(reply.headers?.["retry-after"]).toBe(seconds);
      expect(JSON.parse(String(reply.body))).toEqual({
        error: {
          code: "RESOURCE_EXHAUSTED",
          reason: "RATE_LIMITED",
          message: "slow down",
          retryAfterMs: ms,
        },
      });
    },
  );

  it("sends none for an error without", () => {
    const error = servingError("QUEUE_FULL", "full");
    expect(errorReply(error).headers).not.toHaveProperty("retry-after");
    expect(errorJson(error)).toBe(
      '{"error":{"code":"UNAVAILABLE","reason":"QUEUE_FULL","message":"full"}}',
    );
  });
});
