import { describe, expect, it } from "vitest";
import {
  errorFromPlain,
  type PlainError,
  plainFromError,
  plainWithCause,
} from "../../../src/core/error-codec.js";
import { metadataOf } from "../../../src/core/metadata.js";
import {
  HostError,
  ProcessorError,
  type ServingError,
  servingError,
} from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";

/** What a thread or process on the other side gets. */
function crossed(error: ServingError, encode = plainFromError): ServingError {
  return errorFromPlain(structuredClone(encode(error)) as PlainError);
}

describe("plainFromError and errorFromPlain", () => {
  it("keep class, reason, code, message and plain details", () => {
    const error = crossed(
      servingError("PROCESSOR_THREW", "out of ideas", {
        code: Status.NOT_FOUND,
        details: { tries: 3, where: ["a", { b: true }], none: undefined, run: () => {} },
      }),
    );
    expect(error).toBeInstanceOf(ProcessorError);
    expect(error).toMatchObject({
      reason: "PROCESSOR_THREW",
      code: Status.NOT_FOUND,
      message: "out of ideas",
    });
    expect(error.details).toEqual({ tries: 3, where: ["a", { b: true }] });
  });

  it("keep metadata among the details, bytes too", () => {
    const trailers = metadataOf([
      ["a", "1"],
      ["a", "2"],
      ["b-bin", Buffer.from([0, 255])],
    ]);
    const error = crossed(servingError("PROCESSOR_THREW", "", { details: { trailers } }));
    const view = error.details["trailers"] as typeof trailers;
    expect([...view.entries()]).toEqual([
      ["a", "1"],
      ["a", "2"],
      ["b-bin", Uint8Array.from([0, 255])],
    ]);
    expect(view.get("b-bin")).toEqual(Uint8Array.from([0, 255]));
  });

  it("keep an error among the details as data, and end at a cycle", () => {
    const loop: Record<string, unknown> = { err: new TypeError("no") };
    loop["self"] = loop;
    const { details } = crossed(servingError("INTERNAL", "", { details: loop }));
    expect(details["err"]).toMatchObject({ type: "TypeError", message: "no" });
    expect(JSON.stringify(details).length).toBeGreaterThan(10);
  });

  it("leave the cause behind, unless it is for the log", () => {
    const error = servingError("INITIALIZE_FAILED", "x", { cause: new RangeError("too far") });
    expect(crossed(error).cause).toBeUndefined();
    const cause = crossed(error, plainWithCause).cause as Error;
    expect(cause).toMatchObject({ name: "RangeError", message: "too far" });
    expect(cause.stack).toContain("error-codec.test");
    const odd = servingError("INITIALIZE_FAILED", "x", { cause: "a text" });
    expect(crossed(odd, plainWithCause).cause).toMatchObject({ message: "a text" });
  });

  it("take a reason that this version does not know for INTERNAL", () => {
    const plain = { ...plainFromError(servingError("INTERNAL", "x")), reason: "TOO_NEW", code: 99 };
    const error = errorFromPlain(plain);
    expect(error).toBeInstanceOf(HostError);
    expect(error).toMatchObject({ reason: "INTERNAL", code: Status.UNKNOWN });
  });
});
