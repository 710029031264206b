import { servingError } from "../core/serving-error.js";

/** A part of the code: from one offset to another. */
export interface CodeSection {
  readonly start: number;
  readonly end: number;
}

interface Edit extends CodeSection {
  readonly text: string;
}

/**
 * Changes code of ts-proto's in places that it is known to have. A place is given as code; how it is broken into lines does not
 * matter. One that is not there exactly once in its section is an error: another version of ts-proto writes other code.
 */
export class CodeEdits {
  readonly #code: string;
  readonly #version: string;
  readonly #edits: Edit[] = [];

  constructor(code: string, version: string) {
    this.#code = code;
    this.#version = version;
  }

  /** The section from a line to the first end behind it. */
  section(start: string, end: string, what: string): CodeSection {
    const from = this.#only(`\n${start}`, what);
    const to = this.#code.indexOf(end, from);
    if (to === -1) throw this.#unknown(what, `${start} without an end`);
    return { start: from, end: to + end.length };
  }

  replace(section: CodeSection, place: string, text: string, what: string): void {
    this.#edits.push({ ...this.#find(section, pattern(place), place, what), text });
  }

  /** Replaces something that a line begins with: not what stands in a comment. */
  replaceLine(section: CodeSection, place: string, text: string, what: string): void {
    const begins = `(?<=^ *)${pattern(place)}`;
    this.#edits.push({ ...this.#find(section, begins, place, what), text });
  }

  insertBefore(section: CodeSection, place: string, text: string, what: string): void {
    const { start } = this.#find(section, pattern(place), place, what);
    this.#edits.push({ start, end: start, text });
  }

  insertBehind(section: CodeSection, place: string, text: string, what: string): void {
    const { end } = this.#find(section, pattern(place), place, what);
    this.#edits.push({ start: end, end, text });
  }

  /** The code with all edits; those at one place in the order in which they were made. */
  apply(): string {
    const edits = this.#edits.toSorted((a, b) => a.start - b.start);
    const pieces: string[] = [];
    let at = 0;
    for (const { start, end, text } of edits) {
      pieces.push(this.#code.slice(at, start), text);
      at = end;
    }
    return pieces.join("") + this.#code.slice(at);
  }

  #only(text: string, what: string): number {
    const at = this.#code.indexOf(text);
    if (at !== -1 && this.#code.indexOf(text, at + 1) === -1) return at;
    throw this.#unknown(what, text.trim());
  }

  #find(section: CodeSection, source: string, place: string, what: string): CodeSection {
    const code = this.#code.slice(section.start, section.end);
    const found = [...code.matchAll(new RegExp(source, "gm"))];
    const [only] = found;
    if (only === undefined || found.length > 1) throw this.#unknown(what, place);
    const start = section.start + only.index;
    return { start, end: start + only[0].length };
  }

  #unknown(what: string, place: string): Error {
    return servingError(
      "INTERNAL",
      `ts-proto ${this.#version} writes code that typed arrays cannot be put into: for ${what} there should be once: ${place}`,
    );
  }
}

/** Matches code however it is broken into lines: then a closing bracket may have a comma before it. */
function pattern(place: string): string {
  const words = place.match(/[\w$]+|[^\s\w$]/g) ?? [];
  const escaped = words.map((word) => word.replace(/\W/, "\\$&").replace(/^\\[)\]}]/, ",?\\s*$&"));
  const source = escaped.join("\\s*");
  return /^\w/.test(place) ? `(?<![\\w$."])${source}` : source;
}
