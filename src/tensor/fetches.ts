import { didYouMean } from "../core/nearest.js";
import { FormatError } from "./format-error.js";
import type { Tensor } from "./tensor.js";
import { quoted } from "./texts.js";

/**
 * The outputs that were asked for, in the order of asking; all of them when nothing is named.
 *
 * @throws FormatError naming a fetch that there is no output for
 */
export function fetchedOutputs(
  outputs: ReadonlyMap<string, Tensor>,
  fetches: readonly string[],
): readonly (readonly [string, Tensor])[] {
  if (fetches.length === 0) return [...outputs];
  return fetches.map((name, index) => {
    const tensor = outputs.get(name);
    if (tensor === undefined)
      throw new FormatError(
        `output_filter[${index}] is ${quoted(name)}, which is no output${didYouMean(name, outputs.keys())}`,
      );
    return [name, tensor];
  });
}
