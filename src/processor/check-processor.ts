import { type ServingError, servingError } from "../core/serving-error.js";
import { kindOf } from "./answer-errors.js";
import type { AnyProcessor } from "./processor.js";

/**
 * Checks that a processor can answer something, and the shape of its functions and properties.
 *
 * @throws ConfigError `INVALID_OPTION` for one without `process` and without typed methods, with two of one path, with a
 * function that is none, or a property without an initial text.
 */
export function checkProcessor(processor: AnyProcessor): void {
  const { process, rpcs = [], functions = {}, properties = {} } = processor;
  if (typeof process !== "function" && rpcs.length === 0) {
    throw servingError(
      "INVALID_OPTION",
      "the processor answers nothing, expected a method process() or the methods of a typed service",
    );
  }
  const paths = rpcs.map(({ path }) => path);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw servingError("INVALID_OPTION", `the processor has two methods ${twice}, expected one`);
  }
  for (const [name, run] of Object.entries(functions)) checkFunction(name, run);
  for (const [name, property] of Object.entries(properties)) checkProperty(name, property);
}

function checkFunction(name: string, run: unknown): void {
  if (typeof run !== "function") throw wrongMember(`functions.${name}`, run, "a function");
}

function checkProperty(name: string, property: unknown): void {
  if (typeof property !== "object" || property === null) {
    throw wrongMember(`properties.${name}`, property, "{ initial: a text }");
  }
  const { initial } = property as { readonly initial?: unknown };
  if (typeof initial !== "string") {
    throw wrongMember(`properties.${name}.initial`, initial, "a text");
  }
}

function wrongMember(where: string, value: unknown, expected: string): ServingError {
  const text = `the processor's ${where} is ${kindOf(value)}, expected ${expected}`;
  return servingError("INVALID_OPTION", text);
}
