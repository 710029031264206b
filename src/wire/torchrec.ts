import { PBResponse } from "../../gen/eas/torchrec/predict.js";

/** TorchEasyRec's request and feature, as ts-proto generated them. */
export {
  type PBFeature as TorchRecFeature,
  PBRequest as TorchRecMessage,
} from "../../gen/eas/torchrec/predict.js";

/** The field of TorchEasyRec's answer that holds PyTorch's arrays; generated code would make lists of numbers of them. */
export const torchRecOutputs = { number: 1, name: "map_outputs", dialect: "pytorch" } as const;

/** What of TorchEasyRec's answer is no tensor. */
export interface TorchRecFields {
  /** Features as they were generated, by name; sent at some debug levels. */
  readonly generateFeatures: ReadonlyMap<string, string>;
  /** Features as they came, by name; sent at some debug levels. */
  readonly rawFeatures: ReadonlyMap<string, string>;
  /** The items, in the order of the outputs. */
  readonly itemIds: readonly string[];
  /** What the service hands through. */
  readonly passThroughData: ReadonlyMap<string, string>;
}

/** Reads TorchEasyRec's answer without its {@link torchRecOutputs}. */
export function torchRecFieldsFrom(message: Uint8Array): TorchRecFields {
  const { generateFeatures, rawFeatures, itemIds, passThroughData } = PBResponse.decode(message);
  return { generateFeatures, rawFeatures, itemIds, passThroughData };
}
