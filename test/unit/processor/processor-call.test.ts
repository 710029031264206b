import { describe, expect, it } from "vitest";
import { CallAbort } from "../../../src/core/call-abort.js";
import type { Invocation } from "../../../src/core/invocation.js";
import { metadataOf } from "../../../src/core/metadata.js";
import { silentLogger } from "../../../src/core/ports.js";
import { ProcessorCall } from "../../../src/processor/processor-call.js";
import { requestIdOf } from "../../../src/processor/request-id.js";
import { createFakeClock } from "../../support/fake-clock.js";

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function invocationWith(headers: Record<string, string>): Invocation {
  return {
    door: "grpc",
    handler: "process",
    service: "",
    method: "/p.S/M",
    path: "",
    query: "",
    metadata: metadataOf(headers),
    peer: "127.0.0.1:9",
    arrivedMs: 0,
    deadlineMs: 7,
    callerDeadlineMs: 7,
    payloads: new Uint8Array(0),
    takesPieces: false,
    abort: new CallAbort(),
    giveUp() {},
  };
}

function callOf(invocation: Invocation, lines: object[] = []): ProcessorCall {
  const logger = { ...silentLogger, info: (fields: object) => void lines.push(fields) };
  return new ProcessorCall(invocation, createFakeClock(), logger);
}

describe("requestIdOf", () => {
  it("is the caller's own, unless that is too long", () => {
    expect(requestIdOf(invocationWith({ "x-request-id": "mine" }))).toBe("mine");
    const long = "x".repeat(129);
    expect(requestIdOf(invocationWith({ "x-request-id": long }))).not.toBe(long);
  });

  it("is made once for a call that has none, and differs between calls", () => {
    const [one, other] = [invocationWith({}), invocationWith({})];
    expect(requestIdOf(one)).toBe(requestIdOf(one));
    expect(requestIdOf(one)).not.toBe(requestIdOf(other));
  });
});

describe("ProcessorCall", () => {
  it("logs with the request id that the host's own lines have, and with the trace", () => {
    const lines: object[] = [];
    const invocation = invocationWith({ traceparent: trace });
    callOf(invocation, lines).logger.info({ n: 1 }, "x");
    expect(lines).toEqual([
      { requestId: requestIdOf(invocation), traceId: "0af7651916cd43dd8448eb211c80319c", n: 1 },
    ]);
  });

  it("has no trace, and none in its lines, when the caller sent none that is valid", () => {
    const lines: object[] = [];
    const call = callOf(invocationWith({ traceparent: "00-0-0-00", "x-request-id": "r" }), lines);
    expect(call.trace).toBeUndefined();
    call.logger.info({}, "x");
    expect(lines).toEqual([{ requestId: "r" }]);
  });

  it("lets any number of calls listen for its end", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    const { signal } = callOf(invocationWith({}));
    for (let n = 0; n < 20; n++) signal.addEventListener("abort", () => {});
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  it("is what calls made on its behalf take over", () => {
    const { trace: own } = callOf(invocationWith({ traceparent: trace }));
    expect(own?.traceparent).toBe(trace);
  });
});
