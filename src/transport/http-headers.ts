import { connectionHeaders } from "../core/connection-headers.js";
import type { MetadataView } from "../core/metadata.js";
import { servingError } from "../core/serving-error.js";

const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Without blanks around it: the other side cuts them off, and would not see what was signed. */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
const TARGET = /^\/[\x21-\x7e]*$/;

/** Tells whether a name in lower case is that of a header which callers may set. */
export function isHeaderName(name: string): boolean {
  return NAME.test(name) && !connectionHeaders.has(name);
}

/** Tells whether something can be sent as a header's value, and arrives as it is. */
export function isHeaderValue(value: unknown): value is string {
  return typeof value === "string" && VALUE.test(value);
}

/**
 * Turns metadata into a flat list of names and values.
 *
 * @throws ConfigError `INVALID_OPTION` for a name or value that cannot be sent; the value is not shown, it may be a token.
 */
export function httpHeadersFrom(metadata: MetadataView): string[] {
  const headers: string[] = [];
  for (const [name, value] of metadata.entries()) {
    if (!isHeaderName(name) || !isHeaderValue(value)) {
      throw servingError(
        "INVALID_OPTION",
        `header "${name}" cannot be sent, expected a lower-case name that is not the connection's, and printable ASCII without blanks around it`,
      );
    }
    headers.push(name, value);
  }
  return headers;
}

/**
 * Makes sure that a request target can be sent.
 *
 * @throws ConfigError `INVALID_OPTION`
 */
export function checkTarget(path: string): void {
  if (TARGET.test(path)) return;
  throw servingError(
    "INVALID_OPTION",
    `path is ${JSON.stringify(path)}, expected "/" and then printable ASCII without blanks`,
  );
}

/** An answer's headers as undici hands them over: by lower-case name, several values of one name as a list. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** An answer's headers as metadata. */
export class HttpHeaders implements MetadataView {
  readonly #headers: AnswerHeaders;

  constructor(headers: AnswerHeaders) {
    this.#headers = headers;
  }

  get(key: string): string | undefined {
    const value = Object.hasOwn(this.#headers, key) ? this.#headers[key] : undefined;
    return typeof value === "string" ? value : value?.[0];
  }

  *entries(): Iterable<readonly [string, string]> {
    for (const [name, value = []] of Object.entries(this.#headers)) {
      if (typeof value === "string") yield [name, value];
      else for (const each of value) yield [name, each];
    }
  }
}
