import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** Parameters of a call's URL; null gives the bare name, a list gives the name several times. */
export type PredictQuery = Readonly<Record<string, string | null | readonly string[]>>;

/** What a request target is made of. */
export interface RequestTargetParts {
  /** Path and query that every call has. */
  readonly route: { readonly path: string; readonly query: string };
  /** With or without a slash in front; may end with a query of its own. */
  readonly path: string;
  readonly query: PredictQuery;
}

/** Makes the target of a request: path, query, and nothing that could not stand in a request line. */
export function requestTarget({ route, path, query }: RequestTargetParts): string {
  if (path === "" && route.query === "" && isEmpty(query)) return sendable(route.path);
  const mark = path.indexOf("?");
  const ownPath = mark < 0 ? path : path.slice(0, mark);
  const ownQuery = mark < 0 ? "" : path.slice(mark + 1);
  const whole = [route.query, ownQuery, queryText(query)].filter((part) => part !== "").join("&");
  return sendable(`${joined(route.path, ownPath)}${whole === "" ? "" : `?${whole}`}`);
}

/**
 * Checks parameters of a URL.
 *
 * @throws ConfigError `INVALID_OPTION` naming the parameter.
 */
export function checkQuery(query: PredictQuery, option: string): PredictQuery {
  if (typeof query !== "object" || query === null || Array.isArray(query)) {
    throw servingError("INVALID_OPTION", `${option} is ${seen(query)}, expected an object`);
  }
  for (const [name, value] of Object.entries(query)) {
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value ?? ""];
    if (value !== undefined && texts.every((text) => typeof text === "string")) continue;
    throw servingError(
      "INVALID_OPTION",
      `${option}.${name} is ${seen(value)}, expected a text, null or a list of texts`,
    );
  }
  return query;
}

/** Segments that a gateway on the way may take for a way out of the service. */
const DOTS = /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\?]|$)/i;

/**
 * Checks a request path.
 *
 * @throws ConfigError `INVALID_OPTION`
 */
export function checkPath(path: string, option: string): string {
  if (typeof path === "string" && !path.includes("#") && !DOTS.test(path)) return path;
  throw servingError(
    "INVALID_OPTION",
    `${option} is ${seen(path)}, expected a path without "#" and without segments "." and ".."`,
  );
}

function isEmpty(query: PredictQuery): boolean {
  for (const _name in query) return false;
  return true;
}

function joined(base: string, path: string): string {
  if (path === "") return base;
  return base.replace(/\/$/, "") + (path.startsWith("/") ? path : `/${path}`);
}

/** As forms are encoded, which is how EAS's Java client does it. */
function queryText(query: PredictQuery): string {
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string | null][] =>
    typeof value === "object" && value !== null
      ? value.map((each) => [name, each])
      : [[name, value]],
  );
  return pairs.map(([name, value]) => pairText(name, value)).join("&");
}

function pairText(name: string, value: string | null): string {
  const text = new URLSearchParams([[name, value ?? ""]]).toString();
  return value === null ? text.slice(0, -1) : text;
}

/** Blanks, line ends and everything outside ASCII cannot stand in a request line; what is escaped already stays. */
function sendable(target: string): string {
  return target.replace(/[^!-~]+/g, (part) =>
    [...Buffer.from(part)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
