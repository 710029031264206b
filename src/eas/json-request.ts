import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import { FormatError } from "../tensor/format-error.js";
import type { PredictRequest } from "./predict-request.js";
import { isPlainObject } from "./request-checks.js";
import { printedBy, showJson, showList, showName } from "./show.js";

/** A value of a feature: its type follows from its own; a `number` is a double. {@link JsonRequest.value} says another type. */
export type JsonFeature = null | boolean | number | bigint | string | TypedJsonFeature;

/** A value with the number of its type. */
export interface TypedJsonFeature {
  readonly dataType: number;
  readonly dataValue: null | boolean | number | bigint | string;
}

/**
 * The JSON form of the Java SDK: rows of features, each value with the number of its type. Other JSON, such as that of PMML
 * services, goes by `StringRequest`.
 *
 * @example
 * ```ts
 * const request = new JsonRequest();
 * request.addRow({ age: JsonRequest.value(JsonRequest.INT32, 41), name: "Ann" });
 * ```
 */
export class JsonRequest implements PredictRequest<JsonResponse> {
  static readonly NULL = 0;
  static readonly BOOL = 1;
  static readonly INT32 = 10;
  static readonly INT64 = 20;
  static readonly FLOAT = 30;
  static readonly DOUBLE = 40;
  static readonly STRING = 50;

  readonly #rows: string[] = [];

  /**
   * Gives a value a type of its own.
   *
   * @param dataType - one of this class's constants
   */
  static value(
    dataType: number,
    dataValue: null | boolean | number | bigint | string,
  ): TypedJsonFeature {
    return { dataType, dataValue };
  }

  /**
   * Adds the features of one row.
   *
   * @throws ConfigError `INVALID_OPTION` for what is no plain object, or naming the feature whose value does not fit its type.
   */
  addRow(features: Readonly<Record<string, JsonFeature>>): void {
    if (!isPlainObject(features)) {
      const expected = "expected a plain object of features";
      throw servingError("INVALID_OPTION", `row is ${seen(features)}, ${expected}`);
    }
    const members = Object.entries(features).map(([name, value]) => {
      const { dataType, dataValue } = typed(value);
      const text = valueText(dataType, dataValue, `feature ${seen(name)}`);
      return `${JSON.stringify(name)}:{"dataType":${dataType},"dataValue":${text}}`;
    });
    this.#rows.push(`{${members.join(",")}}`);
  }

  encode(): Uint8Array {
    return new TextEncoder().encode(`{"inputs":[${this.#rows.join(",")}]}`);
  }

  /** @throws FormatError for what is not such an answer. */
  decode(body: Uint8Array): JsonResponse {
    return new JsonResponse(outputsOf(parsed(body)));
  }
}

/** What a JSON service answers for one row. */
export interface JsonOutput {
  /** Undefined where the service sends none. */
  readonly outputLabel: string | undefined;
  /** A number for each label. */
  readonly outputMulti: ReadonlyMap<string, number>;
  /** Values by name, of any JSON type. */
  readonly outputValue: ReadonlyMap<string, unknown>;
}

/** The answer to a {@link JsonRequest}. */
export class JsonResponse {
  /** One for each row, in order. */
  readonly outputs: readonly JsonOutput[];

  constructor(outputs: readonly JsonOutput[]) {
    this.outputs = outputs;
  }

  toString(): string {
    return `JsonResponse ${showList(this.outputs.map(showOutput))}`;
  }

  /** What logs in JSON get: the same text. */
  toJSON(): string {
    return String(this);
  }
}

printedBy(JsonResponse, String);

function typed(value: JsonFeature): TypedJsonFeature {
  if (typeof value === "object" && value !== null) return value;
  const dataType = {
    object: JsonRequest.NULL,
    boolean: JsonRequest.BOOL,
    number: JsonRequest.DOUBLE,
    bigint: JsonRequest.INT64,
    string: JsonRequest.STRING,
  }[typeof value as "object" | "boolean" | "number" | "bigint" | "string"];
  return { dataType, dataValue: value };
}

/** What each type takes. A bigint is written as a numeral: JSON has no limit, its readers in other languages have int64. */
const kinds: Readonly<Record<number, { readonly is: string; fits(value: unknown): boolean }>> = {
  [JsonRequest.NULL]: { is: "null", fits: (value) => value === null },
  [JsonRequest.BOOL]: { is: "true or false", fits: (value) => typeof value === "boolean" },
  [JsonRequest.INT32]: { is: "a 32-bit integer", fits: (value) => isInteger(value, 32) },
  [JsonRequest.INT64]: {
    is: "a 64-bit integer (a bigint from 2^53 on)",
    fits: (value) => isInteger(value, 64),
  },
  [JsonRequest.FLOAT]: { is: "a finite number", fits: Number.isFinite },
  [JsonRequest.DOUBLE]: { is: "a finite number", fits: Number.isFinite },
  [JsonRequest.STRING]: { is: "a text", fits: (value) => typeof value === "string" },
};

function valueText(dataType: number, value: unknown, where: string): string {
  const kind = Object.hasOwn(kinds, dataType) ? kinds[dataType] : undefined;
  if (kind === undefined) {
    const known = Object.keys(kinds).join(", ");
    throw servingError(
      "INVALID_OPTION",
      `${where} has data type ${seen(dataType)}, known: ${known}`,
    );
  }
  if (kind.fits(value)) return typeof value === "bigint" ? String(value) : JSON.stringify(value);
  throw servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected ${kind.is}`);
}

function isInteger(value: unknown, bits: number): boolean {
  const integer = Number.isSafeInteger(value) ? BigInt(value as number) : value;
  return typeof integer === "bigint" && BigInt.asIntN(bits, integer) === integer;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new FormatError("the answer is no JSON in UTF-8", { cause: error });
  }
}

function outputsOf(answer: unknown): readonly JsonOutput[] {
  const outputs = isRecord(answer) ? answer["outputs"] : undefined;
  if (!Array.isArray(outputs)) throw new FormatError("the answer has no list named outputs");
  return outputs.map((output: unknown, index) => {
    if (!isRecord(output)) throw notA("an object", `outputs[${index}]`, output);
    return jsonOutput(output, `outputs[${index}]`);
  });
}

function jsonOutput(output: Readonly<Record<string, unknown>>, where: string): JsonOutput {
  const label = output["outputLabel"] ?? undefined;
  const multi = output["outputMulti"] ?? {};
  const value = output["outputValue"] ?? {};
  if (label !== undefined && typeof label !== "string") {
    throw notA("a text", `${where}.outputLabel`, label);
  }
  if (!isRecord(multi)) throw notA("an object", `${where}.outputMulti`, multi);
  if (!isRecord(value)) throw notA("an object", `${where}.outputValue`, value);
  const numbers = Object.entries(multi).map(([name, each]): [string, number] => {
    if (typeof each === "number") return [name, each];
    throw notA("a number", `${where}.outputMulti[${seen(name)}]`, each);
  });
  return {
    outputLabel: label,
    outputMulti: new Map(numbers),
    outputValue: new Map(Object.entries(value)),
  };
}

function notA(expected: string, where: string, value: unknown): FormatError {
  return new FormatError(`${where} is ${seen(value)}, expected ${expected}`);
}

function showOutput({ outputLabel, outputMulti, outputValue }: JsonOutput): string {
  const numbers = [...outputMulti].map(([label, value]) => `${showName(label)}: ${value}`);
  const values = [...outputValue].map(([name, value]) => `${showName(name)}: ${showJson(value)}`);
  return `${seen(outputLabel)} ${showList([...numbers, ...values])}`;
}
