import { Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { attemptEnd } from "../../../src/transport/grpc-end.js";

describe("attemptEnd", () => {
  it("leaves out grpc-js's empty note on the resolution of names", () => {
    const details =
      "No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ;";
    const status = { code: 14, details, metadata: new Metadata() };
    expect(attemptEnd(status, { cancelled: false, headers: false })).toEqual(
      expect.objectContaining({
        reason: "CONNECT_FAILED",
        message: "No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1",
      }),
    );
  });
});
