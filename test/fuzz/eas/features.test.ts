import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PBRequest } from "../../../gen/eas/torchrec/predict.js";
import { isServingError } from "../../../src/core/serving-error.js";
import type { FeatureValue } from "../../../src/eas/feature-value.js";
import { TorchRecRequest } from "../../../src/eas/index.js";
import { fuzz } from "../balance/fuzz-settings.js";

const words = ["STRING", "INT", "bigint", "INT64", "Float", "DOUBLE", "LIST", "x", ""];
const word = fc.constantFrom(...words);
const dtypes = fc.oneof(
  word,
  fc.constantFrom("LIST", "array", "MAP").chain((form) => word.map((x) => `${form}<${x}>`)),
  word.map((x) => `LIST< ARRAY<${x}>>`),
  fc.tuple(word, word).map(([k, v]) => `MAP<${k}, ${v}>`),
  fc.string(),
);
const scalars = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.string(),
  fc.constantFrom("1", "-7", 2 ** 31, 2 ** 53, 2n ** 63n, 1e39, Number.NaN),
);
const values = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 3 }),
  fc.array(fc.array(scalars, { maxLength: 3 }), { maxLength: 3 }),
  fc.dictionary(fc.oneof(fc.string(), fc.integer().map(String)), scalars, { maxKeys: 3 }),
  fc.array(fc.tuple(scalars, scalars), { maxLength: 3 }).map((entries) => new Map(entries)),
  fc.anything(),
);

describe("a feature", () => {
  it("is refused with a ConfigError, or arrives", () => {
    fc.assert(
      fc.property(dtypes, values, (dtype, value) => {
        const request = new TorchRecRequest();
        try {
          request.addUserFeature("f", value as FeatureValue, dtype);
        } catch (error) {
          if (isServingError(error) && error.reason === "INVALID_OPTION") return;
          throw error;
        }
        expect(PBRequest.decode(request.encode()).userFeatures.get("f")?.value).toBeDefined();
      }),
      fuzz(3_000) as fc.Parameters<[string, unknown]>,
    );
  });
});
