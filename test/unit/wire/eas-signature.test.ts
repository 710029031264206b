import { describe, expect, it } from "vitest";
import { easSignature } from "../../../src/wire/eas-signature.js";
import { signedVectors, VECTOR_DATE, VECTOR_TOKEN } from "../../support/signed-vectors.js";

describe("easSignature", () => {
  it.each(signedVectors)("signs $what as EAS's SDKs do", ({ signature, ...parts }) => {
    expect(easSignature(VECTOR_TOKEN, { ...parts, date: VECTOR_DATE })).toBe(`EAS ${signature}`);
  });
});
