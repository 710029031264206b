/** Most dimensions of a tensor, as TensorFlow has it: so that a short message cannot ask for a long shape. */
export const MAX_DIMENSIONS = 254;

/**
 * How many elements a shape has: the product of its dimensions; 1 without any.
 *
 * @returns undefined when that is more than a number can count exactly
 */
export function elementCount(shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return count;
}

/** A shape as messages show it: `[1, 784]`. */
export function shapeText(shape: readonly number[]): string {
  const shown = shape.slice(0, 8).join(", ");
  return shape.length > 8 ? `[${shown}, ... ${shape.length} dimensions]` : `[${shown}]`;
}
