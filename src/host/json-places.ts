import { type TextPlace, textPlace } from "../core/text-place.js";

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/** An object or list that is open where the text is being read. */
interface Level {
  readonly list: boolean;
  /** Its own path. */
  readonly path: string;
  /** Of an object: whether the next text is a name. */
  expectsKey: boolean;
  /** Of a list: which of its values is next. */
  index: number;
  key: string;
}

/**
 * Tells where each name of an object stands in a JSON text.
 *
 * @param text - a text that `JSON.parse` takes
 * @returns place by path: names with dots between them, places in a list as `[0]`; of a path that is there twice, the last
 */
export function jsonPlaces(text: string): ReadonlyMap<string, TextPlace> {
  const places = new Map<string, TextPlace>();
  const open: Level[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const level = open.at(-1);
    if (token === "{" || token === "[") {
      const list = token === "[";
      open.push({ list, path: pathIn(level), expectsKey: !list, index: 0, key: "" });
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (level !== undefined) {
      read(level, token, () => places.set(pathIn(level), textPlace(text, index)));
    }
  }
  return places;
}

function read(level: Level, token: string, named: () => void): void {
  if (token === ",") {
    level.index++;
    level.expectsKey = !level.list;
  } else if (level.expectsKey) {
    level.key = JSON.parse(token) as string;
    level.expectsKey = false;
    named();
  }
}

/** Path of what comes next in a level. */
function pathIn(level: Level | undefined): string {
  if (level === undefined) return "";
  if (level.list) return `${level.path}[${level.index}]`;
  return level.path === "" ? level.key : `${level.path}.${level.key}`;
}
