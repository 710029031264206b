import { describe, expect, it } from "vitest";
import { ArrayRequest } from "../../../src/eas/array-request.js";
import { fieldDTypeNames } from "../../../src/tensor/dtype-names.js";

describe("ArrayRequest", () => {
  it("has a constant for each dtype that such messages carry, by the name that a host publishes", () => {
    const published = Object.entries(fieldDTypeNames).map(([dtype, name]) => [name, dtype]);
    expect({ ...ArrayRequest }).toEqual(Object.fromEntries(published));
  });
});
