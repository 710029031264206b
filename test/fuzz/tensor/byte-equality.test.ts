import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DialectName } from "../../../src/tensor/dialect.js";
import { dialectOf } from "../../../src/tensor/dialect-of.js";
import { fuzz } from "../balance/fuzz-settings.js";
import { namedTensors, requests } from "./arbitrary-tensors.js";
import { dialectDTypes, generatedRequest, generatedResponse } from "./generated-messages.js";
import { hex, LONG_MS, requestsOf, shownTensors } from "./messages.js";

const dialects: readonly DialectName[] = ["tensorflow", "pytorch", "onnx"];

describe.each(dialects)("the %s dialect", (name) => {
  const dialect = dialectOf(name);

  it(
    "writes requests byte for byte as the generated code does, and reads them back",
    () => {
      fc.assert(
        fc.property(requestsOf(name), (request) => {
          const bytes = generatedRequest(name, request);
          expect(hex(dialect.encodeRequest(request))).toBe(hex(bytes));
          const decoded = dialect.decodeRequest(bytes);
          expect(shownTensors(decoded.inputs)).toEqual(shownTensors(request.inputs));
          expect({ ...decoded, inputs: 0 }).toEqual({ ...request, inputs: 0 });
        }),
        fuzz(300),
      );
    },
    LONG_MS,
  );

  it(
    "writes answers byte for byte as the generated code does, and reads them back",
    () => {
      fc.assert(
        fc.property(namedTensors(dialectDTypes[name]), (outputs) => {
          const bytes = generatedResponse(name, outputs);
          expect(hex(dialect.encodeResponse(outputs, []))).toBe(hex(bytes));
          expect(shownTensors(dialect.decodeResponse(bytes))).toEqual(shownTensors(outputs));
        }),
        fuzz(300),
      );
    },
    LONG_MS,
  );

  it("has every dtype of its messages tried", () => {
    const seen = new Set(
      fc
        .sample(requests(dialectDTypes[name], {}), { numRuns: 1_000, seed: 1 })
        .flatMap(({ inputs }) => Array.from(inputs.values(), ({ dtype }) => dtype)),
    );
    expect([...seen].sort()).toEqual([...dialectDTypes[name]].sort());
  });
});
