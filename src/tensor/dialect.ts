import type { Tensor } from "./tensor.js";

/** A message family for named tensors. */
export type DialectName = "tensorflow" | "pytorch" | "onnx";

/** What a service of tensors is asked. */
export interface TensorRequest {
  /** By name; a PyTorch tensor without one is called by its index: `"0"`, `"1"`. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Outputs that are wanted, by name (PyTorch: by index, as text); all of them when empty. */
  readonly fetches: readonly string[];
  /** TensorFlow's; empty elsewhere. */
  readonly signatureName: string;
  /** PyTorch's; 0 elsewhere. */
  readonly debugLevel: number;
}

/**
 * The messages of one of EAS's universal processors, both ways. Bulk data is never a list of numbers: it is copied once in
 * encoding; in decoding it is a view over the message where alignment and byte order allow, and copied once where not.
 */
export interface TensorDialect {
  readonly name: DialectName;
  /** Bytes as ts-proto writes them. */
  encodeRequest(request: TensorRequest): Uint8Array;
  /** @throws FormatError naming the field. */
  decodeRequest(message: Uint8Array): TensorRequest;
  /**
   * The outputs that `fetches` names, or all; PyTorch's are numbered anew in the order of `fetches`.
   *
   * @throws FormatError naming a fetch that there is no output for.
   */
  encodeResponse(outputs: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Uint8Array;
  /** @throws FormatError naming the field. */
  decodeResponse(message: Uint8Array): ReadonlyMap<string, Tensor>;
  /**
   * Where the first bulk data of a request begins, seen from its first bytes: whoever puts the message together places it so that
   * this is a multiple of 8.
   *
   * @returns undefined when the bytes do not reach that far, or there is none
   */
  bulkOffset(head: Uint8Array): number | undefined;
}
