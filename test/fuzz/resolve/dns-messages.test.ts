import { type Answer, encode } from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isServingError } from "../../../src/core/serving-error.js";
import {
  isReplyTo,
  questionToBytes,
  replyFromBytes,
} from "../../../src/resolve/dns/dns-message.js";
import { fuzz } from "../balance/fuzz-settings.js";

const question = questionToBytes(7, "mnist.test", "SRV");
const names = fc.constantFrom("mnist.test", "a.mnist.test", "b.test");
const answers: fc.Arbitrary<Answer[]> = fc.array(
  fc.oneof(
    names.map((name): Answer => ({ type: "A", name, ttl: 5, data: "10.0.0.1" })),
    names.map((name): Answer => ({ type: "CNAME", name, ttl: 5, data: "b.test" })),
    names.map((name): Answer => {
      const data = { priority: 1, weight: 2, port: 3, target: "b.test" };
      return { type: "SRV", name, ttl: 5, data };
    }),
  ),
  { maxLength: 20 },
);

/** Some bytes of a message changed, or its end cut off. */
const damage = fc.record({
  at: fc.array(fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
  length: fc.option(fc.nat(600)),
});

function take(bytes: Uint8Array): void {
  isReplyTo(question, bytes);
  try {
    replyFromBytes(bytes);
  } catch (error) {
    if (!isServingError(error) || error.reason !== "UPSTREAM_MALFORMED") throw error;
  }
}

describe("DNS messages", () => {
  it("that are broken are refused, and nothing else happens", () => {
    fc.assert(
      fc.property(answers, damage, (given, { at, length }) => {
        const bytes = encode({
          type: "response",
          id: 7,
          questions: [{ type: "SRV", name: "mnist.test" }],
          answers: given,
        });
        expect(isReplyTo(question, bytes)).toBe(true);
        for (const [place, byte] of at) if (place < bytes.length) bytes[place] = byte;
        take(bytes.subarray(0, length ?? bytes.length));
      }),
      fuzz(2_000),
    );
  });

  it("of any bytes at all are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => take(bytes)),
      fuzz(2_000),
    );
  });
});
