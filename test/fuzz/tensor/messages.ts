import fc from "fast-check";
import type { DialectName, TensorRequest } from "../../../src/tensor/dialect.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { names, requests } from "./arbitrary-tensors.js";
import { dialectDTypes } from "./generated-messages.js";

/** Time for `FUZZ_RUNS` in the millions. */
export const LONG_MS = 3_600_000;

const indices = fc.nat(9).map(String);

/** Requests that a dialect can carry. */
export function requestsOf(dialect: DialectName): fc.Arbitrary<TensorRequest> {
  const dtypes = dialectDTypes[dialect];
  if (dialect === "tensorflow") return requests(dtypes, { fetches: names, signature: true });
  if (dialect === "pytorch") return requests(dtypes, { fetches: indices, debug: true });
  return requests(dtypes, {});
}

/** Bytes as text. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** Tensors as texts that are alike when they are; in any order of names. */
export function shownTensors(tensors: ReadonlyMap<string, Tensor>): Record<string, string> {
  return Object.fromEntries(
    Array.from(tensors, ([name, { dtype, shape, data }]) => {
      const elements = ArrayBuffer.isView(data)
        ? hex(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
        : data.map(hex).join(",");
      return [`name ${name}`, `${dtype} ${shape.join(",")} ${elements}`];
    }),
  );
}
