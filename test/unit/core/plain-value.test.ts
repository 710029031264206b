import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { namedError, plainRecord, recordFromPlain } from "../../../src/core/plain-value.js";
import { servingError } from "../../../src/core/serving-error.js";

/** Fields of a log line, as they are when they have gone to another thread or process. */
function crossed(fields: object): Readonly<Record<string, unknown>> {
  return recordFromPlain(structuredClone(plainRecord(fields)));
}

class ModelError extends Error {
  readonly layer = 3;
}

describe("plainRecord and recordFromPlain", () => {
  it("keep plain values as they are", () => {
    const fields = { text: "a", list: [1, { deep: true }], none: null, bytes: Uint8Array.of(1, 2) };
    expect(crossed({ ...fields, run: () => {} })).toEqual(fields);
  });

  it.each([
    new TypeError("odd", { cause: new RangeError("deep") }),
    servingError("PROCESSOR_THREW", "out of ideas", { details: { tries: 3 } }),
    new ModelError("no such layer"),
  ])("keep errors errors, which pino prints as what they were: %s", (err) => {
    const print = (fields: object): unknown => {
      let line = "";
      pino({ base: null, timestamp: false }, { write: (text) => (line = text) }).error(
        fields,
        "it",
      );
      return JSON.parse(line);
    };
    const there = crossed({ err });
    expect(there["err"]).toBeInstanceOf(Error);
    expect(print(there)).toEqual(print({ err }));
  });
});

describe("namedError", () => {
  it("has a name, and a class of that name", () => {
    const {
      name,
      message,
      stack,
      constructor: type,
    } = namedError("Odd", "why", "Odd: why\n    at a.js");
    expect([name, type.name, message, stack]).toEqual([
      "Odd",
      "Odd",
      "why",
      "Odd: why\n    at a.js",
    ]);
  });
});

describe("plainRecord of what throws when it is looked at", () => {
  it("leaves that out and keeps the rest", () => {
    const fails = (): never => {
      throw new Error("looked at");
    };
    const error = Object.defineProperty(new Error("kept"), "boom", {
      enumerable: true,
      get: fails,
    });
    const proxy = new Proxy({}, { ownKeys: fails, getPrototypeOf: fails });
    const record = plainRecord({ error, proxy, bare: Object.create(null), count: 1 });
    expect(record).toMatchObject({ error: { message: "kept" }, bare: {}, count: 1 });
    expect("proxy" in record).toBe(false);
  });
});
