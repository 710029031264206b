import { describe, expect, it } from "vitest";
import { metadataOf, metadataText } from "../../../src/core/metadata.js";
import { Status } from "../../../src/core/status.js";
import { attemptError } from "../../../src/transport/attempt-error.js";
import { remoteEnd } from "../../../src/transport/grpc-end.js";

describe("attemptError", () => {
  const said = "first\nERROR all is lost\r\u001b[2J\u001b]0;title\u0007\u202e\ud800 last";

  it("shows what an instance said on one line, without escapes, and leaves trailers as they are", () => {
    const trailers = metadataOf({ "x-said": said });
    const error = attemptError("/a/b", remoteEnd(Status.INTERNAL, said, trailers));
    expect(error.message).toBe(
      "INTERNAL (CALL_FAILED): /a/b: first ERROR all is lost [2J ]0;title last; act on the code; the message is the service's own",
    );
    expect(metadataText(error.trailer, "x-said")).toBe(said);
  });

  it("shows the beginning of what is long, and the reason's meaning when nothing can be shown", () => {
    const of = (message: string): string =>
      attemptError("/a/b", remoteEnd(Status.INTERNAL, message, metadataOf({}))).message;
    expect(of("x".repeat(10_000))).toContain(`: ${"x".repeat(2_000)}...; `);
    expect(of("\n\u001b")).toBe(of(""));
  });
});
