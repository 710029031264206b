import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { didYouMean } from "../core/nearest.js";
import type { RpcHead } from "../core/rpc-definition.js";
import type { IdempotencyLevel } from "../core/service-definition.js";
import { servingError } from "../core/serving-error.js";
import { fileRegistry } from "./file-registry.js";
import { messageTemplate } from "./request-template.js";

/** A method that is known by its descriptor alone: its messages go between bytes and protobuf's canonical JSON. */
export interface DynamicMethod extends RpcHead {
  /** Full names of the messages. */
  readonly requestType: string;
  readonly responseType: string;
  /** Undefined when the proto promises nothing. */
  readonly idempotencyLevel: IdempotencyLevel | undefined;
  /** @throws HostError `MALFORMED_REQUEST` that names the field and says what is wrong with it. */
  requestFromJson(json: unknown): Uint8Array;
  /** @throws CallError `ANSWER_MALFORMED` for bytes that are no response. */
  responseToJson(bytes: Uint8Array): unknown;
  /** The JSON of a request whose every field is there, for people to fill in. */
  requestTemplate(): unknown;
}

/** Finds methods in descriptor sets. */
export interface DynamicMethods {
  /** Full names of the services, sorted. */
  readonly services: readonly string[];
  /** The methods of a service; undefined for one that is not known. */
  methodsOf(service: string): readonly DynamicMethod[] | undefined;
  /** The method of a path such as `/package.Service/Method`; undefined for one that is not known. */
  find(path: string): DynamicMethod | undefined;
}

/**
 * Makes methods of descriptor sets.
 *
 * @param sets - as {@link fileRegistry} takes them
 * @throws Error when a set cannot be read, or lacks a file that another one imports.
 */
export function createDynamicMethods(sets: readonly Uint8Array[]): DynamicMethods {
  const registry = fileRegistry(sets);
  const byService = new Map<string, readonly DynamicMethod[]>();
  const byPath = new Map<string, DynamicMethod>();
  for (const file of registry.files) {
    for (const service of file.services) {
      const methods = service.methods.map((method) => new DescribedMethod(method, registry));
      byService.set(service.typeName, methods);
      for (const method of methods) byPath.set(method.path, method);
    }
  }
  return {
    services: [...byService.keys()].sort(),
    methodsOf: (service) => byService.get(service),
    find: (path) => byPath.get(path),
  };
}

class DescribedMethod implements DynamicMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly idempotencyLevel: IdempotencyLevel | undefined;
  readonly #input: DescMessage;
  readonly #output: DescMessage;
  readonly #registry: Registry;

  constructor(method: DescMethod, registry: Registry) {
    const { methodKind, input, output } = method;
    this.path = `/${method.parent.typeName}/${method.name}`;
    this.requestStream = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    this.responseStream = methodKind === "server_streaming" || methodKind === "bidi_streaming";
    this.idempotencyLevel = levels[method.idempotency];
    this.#input = input;
    this.#output = output;
    this.#registry = registry;
  }

  get requestType(): string {
    return this.#input.typeName;
  }

  get responseType(): string {
    return this.#output.typeName;
  }

  requestFromJson(json: unknown): Uint8Array {
    try {
      // Whatever is no JSON at all, fromJson refuses as well.
      const message = fromJson(this.#input, json as JsonValue, { registry: this.#registry });
      return toBinary(this.#input, message);
    } catch (cause) {
      const said = `${messageOf(cause)}${this.#nearestField(cause)}`;
      const text = `the JSON is not a ${this.requestType}: ${said}`;
      throw servingError("MALFORMED_REQUEST", text, { cause });
    }
  }

  responseToJson(bytes: Uint8Array): unknown {
    try {
      return toJson(this.#output, fromBinary(this.#output, bytes), { registry: this.#registry });
    } catch (cause) {
      throw servingError("ANSWER_MALFORMED", `the answer is not a ${this.responseType}`, { cause });
    }
  }

  requestTemplate(): unknown {
    return messageTemplate(this.#input);
  }

  /** The library names the message and the key that it does not have, but not the one that may have been meant. */
  #nearestField(cause: unknown): string {
    const [, type = "", key = ""] = UNKNOWN_KEY.exec(messageOf(cause)) ?? [];
    const fields = this.#registry.getMessage(type)?.fields;
    if (fields === undefined) return "";
    return didYouMean(
      key,
      fields.map(({ jsonName }) => jsonName),
    );
  }
}

const UNKNOWN_KEY = /cannot decode message ([\w.]+) from JSON: key "(.*)" is unknown/;

/** By the numbers of `google.protobuf.MethodOptions.IdempotencyLevel`. */
const levels: readonly (IdempotencyLevel | undefined)[] = [
  undefined,
  "NO_SIDE_EFFECTS",
  "IDEMPOTENT",
];

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
