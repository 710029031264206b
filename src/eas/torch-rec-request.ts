import { splitArrayMap } from "../tensor/array-map.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  type TorchRecFields,
  TorchRecMessage,
  torchRecFieldsFrom,
  torchRecOutputs,
} from "../wire/torchrec.js";
import { answerFrom } from "./answer-from.js";
import { featureType } from "./feature-type.js";
import { type FeatureValue, torchRecFeature } from "./feature-value.js";
import { NamedTensors } from "./named-tensors.js";
import type { PredictRequest } from "./predict-request.js";
import { checkDebugLevel, checkNeighbourCount, messageFrom } from "./request-checks.js";
import { showTexts } from "./show.js";

/**
 * What a TorchEasyRec service is asked: features of a user, of the context and of items, each with the text of its type as in
 * the EAS SDKs: `STRING`, `INT` (32 bits), `BIGINT` or `INT64`, `FLOAT`, `DOUBLE`, `LIST<x>` or `ARRAY<x>`, `LIST<LIST<x>>`,
 * `MAP<k,v>` with a text or an integer as key. Case and blanks do not matter. Whatever its type, a feature of null, undefined, an
 * empty list or an empty map is sent as the empty text, which is how EAS spells a feature without a value. A value that does not fit
 * its type is an error; none is left out or cut.
 *
 * @example
 * ```ts
 * const request = new TorchRecRequest();
 * request.addUserFeature("age", 41, "INT");
 * request.addUserFeature("clicks", { "17": 0.5 }, "MAP<BIGINT,FLOAT>");
 * request.addItemId("item_1");
 * request.addContextFeature("position", [1, 2], "LIST<INT>");
 * ```
 */
export class TorchRecRequest implements PredictRequest<TorchRecResponse> {
  #message: TorchRecMessage = TorchRecMessage.create();

  /**
   * Takes over a whole request, serialised; what was added before is dropped.
   *
   * @throws ConfigError `INVALID_OPTION` for bytes that are no such message.
   */
  addFeed(message: Uint8Array): void {
    this.#message = messageFrom(TorchRecMessage, message);
  }

  /**
   * Sets a feature of the user; again replaces.
   *
   * @throws ConfigError `INVALID_OPTION` naming what does not fit the type.
   */
  addUserFeature(key: string, value: FeatureValue, dtype: string): void {
    const feature = torchRecFeature(featureType(dtype), value, `user feature "${key}"`);
    this.#message.userFeatures.set(key, feature);
  }

  /** Adds one more element to a feature of the context: the first for the first item, and so on; else as for the user. */
  addContextFeature(key: string, value: FeatureValue, dtype: string): void {
    const feature = torchRecFeature(featureType(dtype), value, `context feature "${key}"`);
    append(this.#message.contextFeatures, key, feature);
  }

  /** Adds one more element to a feature of the items: the first for the first item, and so on; else as for the user. */
  addItemFeature(key: string, value: FeatureValue, dtype: string): void {
    const feature = torchRecFeature(featureType(dtype), value, `item feature "${key}"`);
    append(this.#message.itemFeatures, key, feature);
  }

  /** Adds an item to be scored. */
  addItemId(id: string | number | bigint): void {
    this.#message.itemIds.push(String(id));
  }

  /** Adds data for the service; again replaces. */
  addMetaData(key: string, value: string): void {
    this.#message.metaData.set(key, value);
  }

  /** @param count - how many neighbours a recall model finds; from 0, which is the service's own */
  setFaissNeighNum(count: number): void {
    this.#message.faissNeighNum = checkNeighbourCount(count);
  }

  /** @param level - what the service tells besides; see its documentation */
  setDebugLevel(level: number): void {
    this.#message.debugLevel = checkDebugLevel(level);
  }

  encode(): Uint8Array {
    return TorchRecMessage.encode(this.#message).finish();
  }

  /** @throws FormatError naming the field. */
  decode(body: Uint8Array): TorchRecResponse {
    const { tensors, rest } = splitArrayMap(body, torchRecOutputs);
    return new TorchRecResponse(
      tensors,
      answerFrom(() => torchRecFieldsFrom(rest)),
    );
  }
}

/** The answer to a {@link TorchRecRequest}: outputs by name, and what the service tells besides. */
export class TorchRecResponse extends NamedTensors implements TorchRecFields {
  readonly generateFeatures: ReadonlyMap<string, string>;
  readonly rawFeatures: ReadonlyMap<string, string>;
  readonly itemIds: readonly string[];
  readonly passThroughData: ReadonlyMap<string, string>;

  constructor(tensors: ReadonlyMap<string, Tensor>, fields: TorchRecFields) {
    super(tensors);
    this.generateFeatures = fields.generateFeatures;
    this.rawFeatures = fields.rawFeatures;
    this.itemIds = fields.itemIds;
    this.passThroughData = fields.passThroughData;
  }

  /** The outputs by name, as EAS's message calls them: the same as `tensors`. */
  get mapOutputs(): ReadonlyMap<string, Tensor> {
    return this.tensors;
  }

  protected override shown(): readonly string[] {
    return [...super.shown(), ...showTexts("itemIds", this.itemIds)];
  }
}

function append<F>(map: Map<string, { features: F[] }>, key: string, feature: F): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, { features: [feature] });
  else known.features.push(feature);
}
