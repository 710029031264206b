import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitArrayMap } from "../../../src/tensor/array-map.js";
import { bladeMessages } from "../../../src/tensor/blade-messages.js";
import { caffeMessages } from "../../../src/tensor/caffe-messages.js";
import type { DialectName } from "../../../src/tensor/dialect.js";
import { dialectOf } from "../../../src/tensor/dialect-of.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { fuzz } from "../balance/fuzz-settings.js";
import { brokenMessages } from "./broken-messages.js";
import { hex, LONG_MS } from "./messages.js";

type Tensors = ReadonlyMap<string, Tensor>;

/** Reads a request and writes it again: what was taken once must be taken the same again. */
function request(name: DialectName): (message: Uint8Array) => Tensors {
  const dialect = dialectOf(name);
  return (message) => {
    const decoded = dialect.decodeRequest(message);
    const again = dialect.encodeRequest(decoded);
    expect(hex(dialect.encodeRequest(dialect.decodeRequest(again)))).toBe(hex(again));
    return decoded.inputs;
  };
}

function response(name: DialectName): (message: Uint8Array) => Tensors {
  const dialect = dialectOf(name);
  return (message) => {
    const decoded = dialect.decodeResponse(message);
    const again = dialect.encodeResponse(decoded, []);
    expect(hex(dialect.encodeResponse(dialect.decodeResponse(again), []))).toBe(hex(again));
    return decoded;
  };
}

const readers: Readonly<Record<string, (message: Uint8Array) => Tensors>> = {
  tensorflowRequest: request("tensorflow"),
  tensorflowResponse: response("tensorflow"),
  pytorchRequest: request("pytorch"),
  pytorchResponse: response("pytorch"),
  onnxRequest: request("onnx"),
  onnxResponse: response("onnx"),
  blade: (message) =>
    new Map(
      Array.from(bladeMessages.decodeResponse(message), ([name, { tensor }]) => [name, tensor]),
    ),
  caffe: (message) => caffeMessages.decodeResponse(message),
  easyRec: (message) =>
    splitArrayMap(message, { number: 2, name: "tf_outputs", dialect: "tensorflow" }).tensors,
  torchRec: (message) =>
    splitArrayMap(message, { number: 1, name: "map_outputs", dialect: "pytorch" }).tensors,
};

/** Bytes of the elements that are not views over the message. */
function ownBytes(tensors: Tensors, message: Uint8Array): number {
  let sum = 0;
  for (const { data } of tensors.values())
    if (ArrayBuffer.isView(data) && data.buffer !== message.buffer) sum += data.byteLength;
  return sum;
}

describe("broken messages", () => {
  it(
    "are read, or refused with a FormatError, in memory of at most eight times their length",
    () => {
      let refused = 0;
      let read = 0;
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(readers)), brokenMessages, (name, message) => {
          try {
            const tensors = readers[name]?.(message) ?? new Map();
            read++;
            expect(ownBytes(tensors, message)).toBeLessThanOrEqual(8 * message.length);
          } catch (thrown) {
            if (!(thrown instanceof FormatError)) throw thrown;
            refused++;
            expect(thrown.message.length).toBeLessThan(1_000);
          }
        }),
        fuzz(2_000),
      );
      expect(read).toBeGreaterThan(refused / 20);
      expect(refused).toBeGreaterThan(read / 20);
    },
    LONG_MS,
  );

  it(
    "never trouble the search for the first bulk data",
    () => {
      fc.assert(
        fc.property(
          fc.constantFrom<DialectName>("tensorflow", "pytorch", "onnx"),
          brokenMessages,
          (name, head) => {
            const offset = dialectOf(name).bulkOffset(head) ?? 0;
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset).toBeLessThanOrEqual(head.length);
          },
        ),
        fuzz(500),
      );
    },
    LONG_MS,
  );
});
