import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../../src/core/metadata.js";
import {
  headersFromMetadata,
  metadataFromHeaders,
  refuseEncodings,
} from "../../../../src/server/web/web-metadata.js";

describe("metadataFromHeaders", () => {
  it("reads bytes, and leaves out what belongs to the connection or the protocol", () => {
    const headers = metadataOf({
      host: "h",
      connection: "close",
      "content-length": "3",
      "content-type": "application/json",
      "grpc-timeout": "1S",
      "connect-protocol-version": "1",
      "x-ask": "a, b",
      "x-one-bin": "AQI=",
      "x-two-bin": "AQ, /w==",
      authorization: "t",
    });
    const pairs = [...metadataFromHeaders(headers).entries()].map(([key, value]) => [
      key,
      typeof value === "string" ? value : [...value],
    ]);
    expect(pairs).toEqual([
      ["x-ask", "a, b"],
      ["x-one-bin", [1, 2]],
      ["x-two-bin", [1]],
      ["x-two-bin", [255]],
      ["authorization", "t"],
    ]);
  });
});

describe("headersFromMetadata", () => {
  it("joins values, writes bytes without padding, and lets nobody set what is not his", () => {
    const metadata = metadataOf([
      ["x-a", "1"],
      ["x-a", "2"],
      ["x-bin", Uint8Array.of(255)],
      ["transfer-encoding", "chunked"],
      ["content-type", "text/html"],
      ["grpc-status", "0"],
      ["__proto__", "p"],
    ]);
    expect(Object.entries(headersFromMetadata(metadata, "trailer-"))).toEqual([
      ["trailer-x-a", "1, 2"],
      ["trailer-x-bin", "/w"],
      ["trailer-__proto__", "p"],
    ]);
  });

  it("writes what metadataFromHeaders reads", () => {
    const metadata = metadataOf({ "x-bin": Uint8Array.of(0, 1, 254), x: "y" });
    const read = metadataFromHeaders(metadataOf(headersFromMetadata(metadata)));
    expect([read.get("x"), new Uint8Array(read.get("x-bin") as Uint8Array)]).toEqual([
      "y",
      Uint8Array.of(0, 1, 254),
    ]);
  });
});

describe("refuseEncodings", () => {
  it.each([{}, { "grpc-encoding": "identity" }, { "grpc-encoding": "Identity" }])(
    "takes %j",
    (h) => {
      expect(() => refuseEncodings(metadataOf(h), ["grpc-encoding"])).not.toThrow();
    },
  );

  it("refuses every other, with its name", () => {
    const refuse = () =>
      refuseEncodings(metadataOf({ "grpc-encoding": "gzip" }), ["grpc-encoding"]);
    expect(refuse).toThrow(
      expect.objectContaining({
        reason: "NOT_OVER_WEB",
        message: 'grpc-encoding is "gzip", expected identity: nothing else is read',
      }),
    );
  });
});
