import type { DialectName } from "inferwire/host";
import type { TensorDialect } from "../../src/tensor/dialect.js";
import { built } from "./built-kit.js";

/** The messages of a dialect, as the built package has them. */
export async function builtDialect(name: DialectName): Promise<TensorDialect> {
  const { dialectOf } =
    await built<typeof import("../../src/tensor/dialect-of.js")>("tensor/dialect-of.js");
  return dialectOf(name);
}
