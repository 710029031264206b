import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../src/core/metadata.js";
import { traceContextOf } from "../../../src/core/trace-context.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const valid = `00-${TRACE}-${PARENT}-01`;

const read = (headers: Record<string, string>) => traceContextOf(metadataOf(headers));

describe("traceContextOf", () => {
  it("reads a valid traceparent and hands it on as it came", () => {
    expect(read({ traceparent: valid, tracestate: "a=1,b=2" })).toEqual({
      traceId: TRACE,
      parentId: PARENT,
      sampled: true,
      traceparent: valid,
      tracestate: "a=1,b=2",
    });
  });

  it("reads the sampled bit alone out of the flags", () => {
    expect(read({ traceparent: `00-${TRACE}-${PARENT}-02` })?.sampled).toBe(false);
    expect(read({ traceparent: `00-${TRACE}-${PARENT}-03` })?.sampled).toBe(true);
  });

  it.each([
    ["another version", `01-${TRACE}-${PARENT}-01`],
    ["the forbidden version", `ff-${TRACE}-${PARENT}-01`],
    ["upper case", `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${PARENT}-01`],
    ["a parent of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["a short trace", `00-${TRACE.slice(1)}-${PARENT}-01`],
    ["more behind it", `${valid}-x`],
    ["two of them", `${valid}, ${valid}`],
    ["nothing", ""],
  ])("ignores %s", (_name, traceparent) => {
    expect(read({ traceparent })).toBeUndefined();
  });

  it("is undefined without a traceparent, whatever the tracestate says", () => {
    expect(read({ tracestate: "a=1" })).toBeUndefined();
  });

  it("drops a tracestate that is too long, empty or not printable, and keeps the trace", () => {
    for (const tracestate of ["x".repeat(513), "", "a=\u0007"]) {
      const trace = read({ traceparent: valid, tracestate });
      expect(trace?.traceId).toBe(TRACE);
      expect(trace).not.toHaveProperty("tracestate");
    }
  });
});
