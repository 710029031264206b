import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { splitArrayMap } from "../tensor/array-map.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  type EasyRecFeature,
  type EasyRecFields,
  EasyRecMessage,
  easyRecFieldsFrom,
  easyRecOutputs,
} from "../wire/easyrec.js";
import { answerFrom } from "./answer-from.js";
import { featureType } from "./feature-type.js";
import { elementsOf, type FeatureScalar, featureScalar } from "./feature-value.js";
import { NamedTensors } from "./named-tensors.js";
import type { PredictRequest } from "./predict-request.js";
import { checkDebugLevel, checkNeighbourCount, messageFrom } from "./request-checks.js";
import { showName, showNumbers, showText, showTexts } from "./show.js";

/**
 * What an EasyRec service is asked: features of a user and of the context, and the items to be scored. Types are texts: `STRING`,
 * `INT` (32 bits), `BIGINT` or `INT64`, `FLOAT`. A value that does not fit its type is an error.
 *
 * The Java SDK's features joined by separators in one text are not read: split them, and add each.
 *
 * @example
 * ```ts
 * const request = new EasyRecRequest();
 * request.addUserFeaStr("user_id", "u1");
 * request.addUserFeaFlt("price", 9.5);
 * request.addItemId("item_1");
 * request.addContextFeature("position", [1], "INT");
 * ```
 */
export class EasyRecRequest implements PredictRequest<EasyRecResponse> {
  #message: EasyRecMessage = EasyRecMessage.create();

  /**
   * Takes over a whole request, serialised; what was added before is dropped.
   *
   * @param debugLevel - replaces the message's own, as in the Python SDK
   * @throws ConfigError `INVALID_OPTION` for bytes that are no such message.
   */
  addFeed(message: Uint8Array, debugLevel = 0): void {
    const level = checkDebugLevel(debugLevel);
    this.#message = messageFrom(EasyRecMessage, message);
    this.#message.debugLevel = level;
  }

  /**
   * Sets a feature of the user; again replaces.
   *
   * @throws ConfigError `INVALID_OPTION` when the value does not fit the type.
   */
  addUserFeature(key: string, value: FeatureScalar, dtype: string): void {
    const feature = easyRecFeature(dtype, value, `user feature "${key}"`);
    this.#message.userFeatures.set(key, feature);
  }

  /** Sets a feature of the user to a 32-bit float. */
  addUserFeaFlt(key: string, value: number): void {
    this.addUserFeature(key, value, "FLOAT");
  }

  /** Sets a feature of the user to a 32-bit integer. */
  addUserFeaInt(key: string, value: number): void {
    this.addUserFeature(key, value, "INT");
  }

  /** Sets a feature of the user to a text. */
  addUserFeaStr(key: string, value: string): void {
    this.addUserFeature(key, value, "STRING");
  }

  /**
   * Sets a feature of the context; again replaces.
   *
   * @param values - one for each item, in the order of the items
   * @throws ConfigError `INVALID_OPTION` naming the element that does not fit the type.
   */
  addContextFeature(key: string, values: ArrayLike<FeatureScalar>, dtype: string): void {
    const where = `context feature "${key}"`;
    const features = elementsOf(values, where).map((value, index) =>
      easyRecFeature(dtype, value, `${where}[${index}]`),
    );
    this.#message.contextFeatures.set(key, { features });
  }

  /** Adds an item to be scored. */
  addItemId(id: string | number | bigint): void {
    this.#message.itemIds.push(String(id));
  }

  /** Drops all items but the first. */
  keepOneItemIds(): void {
    this.#message.itemIds.length = Math.min(1, this.#message.itemIds.length);
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
    return EasyRecMessage.encode(this.#message).finish();
  }

  /** @throws FormatError naming the field. */
  decode(body: Uint8Array): EasyRecResponse {
    const { tensors, rest } = splitArrayMap(body, easyRecOutputs);
    return new EasyRecResponse(
      tensors,
      answerFrom(() => easyRecFieldsFrom(rest)),
    );
  }
}

/** The answer to an {@link EasyRecRequest}: scores by item, outputs of the model by name, and what the service tells besides. */
export class EasyRecResponse extends NamedTensors implements EasyRecFields {
  readonly results: ReadonlyMap<string, Float64Array>;
  readonly itemFeatures: ReadonlyMap<string, string>;
  readonly generateFeatures: ReadonlyMap<string, string>;
  readonly contextFeatures: ReadonlyMap<string, readonly (string | number | bigint | undefined)[]>;
  readonly errorMsg: string;
  readonly statusCode: number;
  readonly status: string;
  readonly itemIds: readonly string[];
  readonly outputs: readonly string[];
  readonly rawFeatures: ReadonlyMap<string, string>;

  constructor(tensors: ReadonlyMap<string, Tensor>, fields: EasyRecFields) {
    super(tensors);
    this.results = fields.results;
    this.itemFeatures = fields.itemFeatures;
    this.generateFeatures = fields.generateFeatures;
    this.contextFeatures = fields.contextFeatures;
    this.errorMsg = fields.errorMsg;
    this.statusCode = fields.statusCode;
    this.status = fields.status;
    this.itemIds = fields.itemIds;
    this.outputs = fields.outputs;
    this.rawFeatures = fields.rawFeatures;
  }

  /** The outputs of the model by name, as EAS's message calls them: the same as `tensors`. */
  get tfOutputs(): ReadonlyMap<string, Tensor> {
    return this.tensors;
  }

  protected override shown(): readonly string[] {
    return [
      `status: ${this.status}`,
      ...(this.errorMsg === "" ? [] : [`errorMsg: ${showText(this.errorMsg)}`]),
      ...showTexts("outputs", this.outputs),
      ...Array.from(this.results, ([item, scores]) => `${showName(item)}: ${showNumbers(scores)}`),
      ...super.shown(),
    ];
  }
}

function easyRecFeature(dtype: string, value: unknown, where: string): EasyRecFeature {
  const { form, element } = featureType(dtype);
  if (form !== "scalar" || element === "double") {
    const expected = "expected STRING, INT, BIGINT, INT64 or FLOAT";
    throw servingError("INVALID_OPTION", `dtype of ${where} is ${seen(dtype)}, ${expected}`);
  }
  const $case = `${element}Feature`;
  return {
    value: { $case, value: featureScalar(element, value, where) } as EasyRecFeature["value"],
  };
}
