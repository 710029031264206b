import { createInterface } from "node:readline";
import { isServingError, servingError } from "../core/serving-error.js";
import type { DynamicMethod } from "../wire/dynamic-methods.js";
import type { CliContext } from "./command.js";
import { readData } from "./read-data.js";

/** What `--data` says when it is not given: a request with nothing in it. */
const NO_DATA = "{}";

/**
 * Reads the requests of a call.
 *
 * A method with one request takes one JSON value; one with a stream of them a JSON list, or a value a line. Lines of `@-`
 * are requests as they come.
 *
 * @param data - JSON, `@FILE` or `@-` for stdin; undefined: one empty request, or an empty stream
 * @returns serialised requests; iterated once
 * @throws ConfigError `INVALID_OPTION` that names line and field.
 */
export async function* requestsOf(
  method: DynamicMethod,
  data: string | undefined,
  context: CliContext,
): AsyncGenerator<Uint8Array> {
  if (method.requestStream && data === "@-") {
    yield* fromLines(method, createInterface({ input: context.stdin() }));
  } else {
    yield* requestsIn(method, data === undefined ? undefined : await wholeText(data, context));
  }
}

/**
 * Makes the requests of a call of a text that has been read already.
 *
 * @param whole - JSON; undefined: one empty request, or an empty stream
 * @throws ConfigError `INVALID_OPTION` that names line and field.
 */
export async function* requestsIn(
  method: DynamicMethod,
  whole: string | undefined,
): AsyncGenerator<Uint8Array> {
  if (!method.requestStream) {
    yield requestOf(method, parsed(whole ?? NO_DATA, "--data"), "--data");
  } else if (whole !== undefined) {
    const list = listIn(whole);
    if (list === undefined) yield* fromLines(method, whole.split("\n"));
    else
      for (const [at, json] of list.entries())
        yield requestOf(method, json, `--data, item ${at + 1}`);
  }
}

/**
 * Turns JSON into a serialised request.
 *
 * @param where - what the JSON was found in, for errors
 * @throws ConfigError `INVALID_OPTION` that names the field.
 */
export function requestOf(method: DynamicMethod, json: unknown, where: string): Uint8Array {
  try {
    return method.requestFromJson(json);
  } catch (thrown) {
    // Over the wire it is the request that is malformed; here it is an argument.
    if (!isServingError(thrown)) throw thrown;
    throw servingError("INVALID_OPTION", `${where}: ${thrown.message}`, { cause: thrown });
  }
}

async function* fromLines(
  method: DynamicMethod,
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const line of lines) {
    at++;
    if (line.trim() === "") continue;
    const where = `--data, line ${at}`;
    yield requestOf(method, parsed(line, where), where);
  }
}

async function wholeText(data: string, context: CliContext): Promise<string> {
  return new TextDecoder().decode(await readData(data, context));
}

function parsed(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw servingError("INVALID_OPTION", `${where} is not JSON: ${said}`, { cause });
  }
}

/** The values of a text that is one JSON value; undefined for one that is not, such as one with a value a line. */
function listIn(whole: string): readonly unknown[] | undefined {
  try {
    const json: unknown = JSON.parse(whole);
    return Array.isArray(json) ? json : [json];
  } catch {
    return undefined;
  }
}
