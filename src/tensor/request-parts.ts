import { servingError } from "../core/serving-error.js";
import type { TensorRequest } from "./dialect.js";

const isUsed = {
  fetches: ({ fetches }: TensorRequest): boolean => fetches.length > 0,
  signatureName: ({ signatureName }: TensorRequest): boolean => signatureName !== "",
  debugLevel: ({ debugLevel }: TensorRequest): boolean => debugLevel !== 0,
} as const;

/** Refuses a request with parts that some messages have no place for: leaving them out would be silent. */
export function refuseParts(
  title: string,
  request: TensorRequest,
  parts: readonly (keyof typeof isUsed)[],
): void {
  for (const part of parts)
    if (isUsed[part](request))
      throw servingError("INVALID_OPTION", `${part} is set, but ${title} requests have none`);
}
