import type { DialectName, TensorDialect } from "./dialect.js";
import { onnxDialect } from "./onnx-dialect.js";
import { pytorchDialect } from "./pytorch-dialect.js";
import { tensorflowDialect } from "./tensorflow-dialect.js";

const dialects: Readonly<Record<DialectName, TensorDialect>> = {
  tensorflow: tensorflowDialect,
  pytorch: pytorchDialect,
  onnx: onnxDialect,
};

/** The messages of a universal processor of EAS. */
export function dialectOf(name: DialectName): TensorDialect {
  return dialects[name];
}
