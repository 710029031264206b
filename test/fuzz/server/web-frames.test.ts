import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../src/core/metadata.js";
import { isServingError } from "../../../src/core/serving-error.js";
import type { Status } from "../../../src/core/status.js";
import { base64FromBytes, bytesFromBase64 } from "../../../src/server/web/base64-text.js";
import { enveloped, onlyMessage } from "../../../src/server/web/envelope.js";
import { percentEncoded } from "../../../src/server/web/grpc-web.js";
import { connectTimeoutMs, grpcTimeoutMs } from "../../../src/server/web/timeouts.js";
import { webProtocolOf, webTypesFor } from "../../../src/server/web/web-protocols.js";
import { fuzz } from "../balance/fuzz-settings.js";

const types = [
  ...new Set([false, true].flatMap((responseStream) => webTypesFor({ responseStream }))),
];

function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, fuzz(500));
}

/** Runs what may refuse its input; anything but a refusal in so many words fails. */
function refusedOr<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (thrown) {
    if (isServingError(thrown) && thrown.reason === "MALFORMED_REQUEST") return undefined;
    throw thrown;
  }
}

describe("the framing of the web's protocols", () => {
  it("gives back each message that was put into an envelope", () => {
    check(
      fc.property(fc.uint8Array(), (message) => {
        expect([...onlyMessage(enveloped(0, message))]).toEqual([...message]);
      }),
    );
  });

  it("gives back bytes that were encoded in parts", () => {
    check(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        const text = Buffer.concat(parts.map((part) => base64FromBytes(Buffer.from(part))));
        expect(Buffer.from(bytesFromBase64(text)).equals(Buffer.concat(parts))).toBe(true);
      }),
    );
  });

  it("reads any body as one message or refuses it", () => {
    check(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 40 }), (type, body) => {
        const message = refusedOr(() => webProtocolOf(type)?.message(body));
        if (message !== undefined) expect(message.byteLength).toBeLessThanOrEqual(body.byteLength);
      }),
    );
  });

  it("takes an envelope that was changed for what it says, or refuses it", () => {
    const change = fc.record({ at: fc.nat(20), to: fc.nat(255) });
    check(
      fc.property(fc.uint8Array({ maxLength: 16 }), change, (message, { at, to }) => {
        const body = enveloped(0, message);
        if (at < body.length) body[at] = to;
        const read = refusedOr(() => onlyMessage(body));
        if (read !== undefined)
          expect([body[0], read.byteLength]).toEqual([0, body.readUInt32BE(1)]);
      }),
    );
  });

  it("reads any text as base64 only if it is", () => {
    const letters = fc.constantFrom(..."Aa0+/=-_ \n");
    check(
      fc.property(fc.string({ unit: letters, maxLength: 24 }), (text) => {
        const bytes = refusedOr(() => bytesFromBase64(Buffer.from(text, "latin1")));
        if (bytes === undefined) return;
        expect(text).toMatch(/^([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)*$/);
      }),
    );
  });

  it("reads any time or refuses it", () => {
    const text = fc.string({ unit: fc.constantFrom(..."0159HMSmun-. "), maxLength: 11 });
    check(
      fc.property(text, (given) => {
        for (const read of [grpcTimeoutMs, connectTimeoutMs]) {
          expect(refusedOr(() => read(given)) ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it("writes any message so that it is read as it was", () => {
    check(
      fc.property(fc.string({ unit: "grapheme" }), (message) => {
        const encoded = percentEncoded(message);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(message);
      }),
    );
  });

  it("ends any stream with a whole last envelope", () => {
    const pairs = fc.dictionary(
      fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,8}$/),
      fc.stringMatching(/^[ -~]{0,20}$/),
    );
    const streams = types.filter((type) => webProtocolOf(type)?.stream !== undefined);
    check(
      fc.property(
        fc.constantFrom(...streams),
        fc.nat(16),
        fc.string(),
        pairs,
        (type, code, message, trailers) => {
          const status = { code: code as Status, message, trailers: metadataOf(trailers) };
          const piece = webProtocolOf(type)?.stream?.lastPiece(status) ?? new Uint8Array(0);
          const frame = type.includes("text") ? bytesFromBase64(piece) : piece;
          expect(Buffer.from(frame).readUInt32BE(1)).toBe(frame.byteLength - 5);
        },
      ),
    );
  });
});
