const LABEL = /^[A-Za-z0-9_-]{1,63}$/;

/** Longest name, without the dot at its end. */
const MAX_NAME_LENGTH = 253;

/** What a name looks like, for messages. */
export const DNS_NAME_FORM =
  "labels of 1 to 63 letters, digits, _ and -, with dots between them, 253 characters at most";

/** Tells whether a text can be asked for in DNS; a dot at its end is allowed. */
export function isDnsName(text: string): boolean {
  const name = withoutLastDot(text);
  return name.length <= MAX_NAME_LENGTH && name.split(".").every((label) => LABEL.test(label));
}

/** The form in which names are compared: lower case, no dot at the end. */
export function comparableName(text: string): string {
  return withoutLastDot(text).toLowerCase();
}

function withoutLastDot(text: string): string {
  return text.endsWith(".") ? text.slice(0, -1) : text;
}

/** How short names are completed. */
export interface DnsSearch {
  /** Domains to put behind a name. */
  readonly search: readonly string[];
  /** A name with so many dots is asked for as it is first. */
  readonly ndots: number;
}

/** The names to ask for in turn, as the system's own resolver does; a name that ends with a dot is complete. */
export function namesToTry(name: string, { search, ndots }: DnsSearch): readonly string[] {
  if (name.endsWith(".")) return [comparableName(name)];
  const asGiven = comparableName(name);
  const completed = search
    .map((domain) => `${asGiven}.${comparableName(domain)}`)
    .filter((text) => isDnsName(text));
  const dots = asGiven.split(".").length - 1;
  return dots >= ndots ? [asGiven, ...completed] : [...completed, asGiven];
}
