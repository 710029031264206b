import { PBResponse, StatusCode } from "../../gen/eas/easyrec/predict.js";

/** EasyRec's request and feature, as ts-proto generated them. */
export {
  type PBFeature as EasyRecFeature,
  PBRequest as EasyRecMessage,
} from "../../gen/eas/easyrec/predict.js";

/** The field of EasyRec's answer that holds TensorFlow's arrays; generated code would make lists of numbers of them. */
export const easyRecOutputs = { number: 10, name: "tf_outputs", dialect: "tensorflow" } as const;

/** What of EasyRec's answer is no tensor. */
export interface EasyRecFields {
  /** Scores by item, in the order of `outputs`. */
  readonly results: ReadonlyMap<string, Float64Array>;
  /** Features by item; sent at some debug levels. */
  readonly itemFeatures: ReadonlyMap<string, string>;
  /** Features as they were generated, by item; sent at some debug levels. */
  readonly generateFeatures: ReadonlyMap<string, string>;
  /** Features of the context by name, a value for each item; undefined for a feature without one. */
  readonly contextFeatures: ReadonlyMap<string, readonly (string | number | bigint | undefined)[]>;
  /** Empty when all went well. */
  readonly errorMsg: string;
  /** 0 when all went well, 1 for an empty input, 2 for an error of the service. */
  readonly statusCode: number;
  /** {@link statusCode} in words: `OK`, `INPUT_EMPTY`, `EXCEPTION`; the number as text for any other. */
  readonly status: string;
  /** The items, in the order of the scores. */
  readonly itemIds: readonly string[];
  /** Names of the scores. */
  readonly outputs: readonly string[];
  /** Features as they came, by item; sent at some debug levels. */
  readonly rawFeatures: ReadonlyMap<string, string>;
}

/** Reads EasyRec's answer without its {@link easyRecOutputs}. */
export function easyRecFieldsFrom(message: Uint8Array): EasyRecFields {
  const {
    tfOutputs: _,
    results,
    contextFeatures,
    statusCode,
    ...fields
  } = PBResponse.decode(message);
  const status = Object.entries(StatusCode).find(([, code]) => code === statusCode && code >= 0);
  return {
    ...fields,
    statusCode,
    status: status?.[0] ?? String(statusCode),
    results: valuesMapped(results, ({ scores }) => Float64Array.from(scores)),
    contextFeatures: valuesMapped(contextFeatures, ({ features }) =>
      features.map(({ value }) => value?.value),
    ),
  };
}

function valuesMapped<V, W>(map: ReadonlyMap<string, V>, change: (value: V) => W): Map<string, W> {
  return new Map(Array.from(map, ([key, value]): [string, W] => [key, change(value)]));
}
