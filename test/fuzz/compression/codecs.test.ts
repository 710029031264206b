import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CompressionName } from "../../../src/compression/body-codec.js";
import { loadCodec } from "../../../src/compression/load-codec.js";
import { isServingError } from "../../../src/core/serving-error.js";
import { fuzz } from "../balance/fuzz-settings.js";

const names: readonly CompressionName[] = ["gzip", "zlib", "snappy", "lz4", "lz4-frame", "zstd"];
const MiB = 1024 * 1024;
const maxBytes = 16 * 1024;

/** Bodies of all kinds of order: noise, runs, repeated phrases. */
const bodies: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 600 }))
        .map(([phrase, times]) => Buffer.alloc(phrase.length * times, phrase)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

/** One change of a compressed body. */
type Change = (body: Buffer) => Buffer;

const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const changes: fc.Arbitrary<Change> = fc.oneof(
  // The first bytes are headers, where a change does most.
  fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 255 })).map(
    ([at, value]): Change =>
      (body) => {
        if (at < body.length) body[at] = value;
        return body;
      },
  ),
  fc.tuple(places, fc.nat({ max: 255 })).map(
    ([place, value]): Change =>
      (body) => {
        if (body.length > 0) body[Math.floor(place * body.length)] = value;
        return body;
      },
  ),
  places.map(
    (place): Change =>
      (body) =>
        body.subarray(0, Math.floor(place * body.length)),
  ),
  fc.tuple(places, fc.uint8Array({ maxLength: 20 })).map(
    ([place, more]): Change =>
      (body) => {
        const at = Math.floor(place * body.length);
        return Buffer.concat([body.subarray(0, at), more, body.subarray(at)]);
      },
  ),
  fc.constant<Change>((body) => Buffer.concat([body, body])),
);

describe("codecs", () => {
  it.each(names)("%s gives back whatever it was given", async (name) => {
    const codec = await loadCodec(name);
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const back = await codec.decompress(await codec.compress(body), { maxBytes: MiB });
        expect(body.equals(back)).toBe(true);
      }),
      fuzz(200),
    );
  });

  it.each(names)(
    "%s refuses changed bodies with an error that callers may see, in bounded memory",
    async (name) => {
      const codec = await loadCodec(name);
      const before = process.memoryUsage().rss;
      await fc.assert(
        fc.asyncProperty(
          bodies,
          fc.array(changes, { minLength: 1, maxLength: 3 }),
          async (body, list) => {
            const whole: Buffer = Buffer.from(await codec.compress(body));
            const changed = list.reduce<Buffer>((bytes, change) => change(bytes), whole);
            try {
              const out = await codec.decompress(changed, { maxBytes });
              expect(out.byteLength).toBeLessThanOrEqual(maxBytes);
            } catch (thrown) {
              if (!isServingError(thrown)) throw thrown;
              expect(["MALFORMED_REQUEST", "MESSAGE_TOO_LARGE"]).toContain(thrown.reason);
              expect(thrown.message).toContain(name);
            }
          },
        ),
        fuzz(1_000),
      );
      expect((process.memoryUsage().rss - before) / MiB).toBeLessThan(256);
    },
  );

  it.each(names)("%s takes noise for nothing else than noise", async (name) => {
    const codec = await loadCodec(name);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (noise) => {
        const reason = await codec.decompress(noise, { maxBytes }).then(
          () => undefined,
          (thrown) => thrown.reason,
        );
        expect([undefined, "MALFORMED_REQUEST", "MESSAGE_TOO_LARGE"]).toContain(reason);
      }),
      fuzz(300),
    );
  });
});
