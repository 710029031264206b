import type { TensorDialect } from "../tensor/dialect.js";
import type { TensorSignature } from "./tensor-signature.js";

/** What makes a processor one of tensors: its member `tensorSide`, a name that no processor has by chance. */
export interface TensorSide {
  /** Takes requests apart and puts answers together. */
  readonly dialect: TensorDialect;
  /** What is published of its inputs and outputs; undefined for nothing. */
  readonly signature: TensorSignature | undefined;
}
