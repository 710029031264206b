import { seen } from "../core/options.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { type TensorValues, tensor } from "../tensor/create-tensor.js";
import type { DType } from "../tensor/dtype.js";
import type { Tensor } from "../tensor/tensor.js";

/** Messages that hold some of the dtypes. */
export interface FeedFamily {
  /** As errors call it. */
  readonly title: string;
  readonly dtypes: { has(dtype: DType): boolean; keys(): Iterable<DType> };
}

/**
 * Checks a dtype against the messages it is for: the dtypes of other messages would be no help to whoever mistyped one of theirs.
 *
 * @throws ConfigError `INVALID_OPTION` with the dtypes that there are.
 */
export function checkFeedDType(dtype: DType, what: string, { title, dtypes }: FeedFamily): void {
  if (dtypes.has(dtype)) return;
  const known = [...dtypes.keys()].join(", ");
  throw servingError(
    "INVALID_OPTION",
    `dtype of ${what} is ${seen(dtype)}, ${title} messages hold ${known}`,
  );
}

/**
 * The tensor of a feed, checked.
 *
 * @throws ConfigError `INVALID_OPTION` naming the feed and what does not fit.
 */
export function feedTensor<D extends DType>(
  name: string | number,
  shape: readonly number[],
  dtype: D,
  values: TensorValues<D>,
): Tensor & Tensor<D>;
export function feedTensor(
  name: string | number,
  shape: readonly number[],
  dtype: DType,
  values: TensorValues,
): Tensor {
  try {
    return tensor(dtype, shape, values);
  } catch (error) {
    const { reason, message } = ServingError.from(error);
    throw servingError(reason, `feed ${seen(name)}: ${message}`, { cause: error });
  }
}
