const MAX_TEXT = 60;
const MAX_LINES = 20;
const MAX_ITEMS = 8;

/** Makes `console.log` and `util.inspect` print the objects of a class by this text. */
export function printedBy<T extends object>(
  type: { readonly prototype: T },
  text: (self: T) => string,
): void {
  // Not a method of a computed name in the class: the published types could not name it.
  Object.defineProperty(type.prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value(this: T): string {
      return text(this);
    },
  });
}

/** A text in quotes, cut when it is long. */
export function showText(text: string): string {
  return text.length <= MAX_TEXT
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, MAX_TEXT))}... (${text.length} characters)`;
}

/** A name from an answer: in quotes, unless it is a plain word, so that none can forge lines of a log. */
export function showName(name: string): string {
  return name.length <= MAX_TEXT && /^[\w.:/-]+$/.test(name) ? name : showText(name);
}

/** A value of JSON, cut when it is long. */
export function showJson(value: unknown): string {
  const text = jsonText(value);
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}...`;
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // What JSON.parse has read may be too deep for it.
    return "...";
  }
}

/** Items in braces, a line each; of a long list the first, and how many more there are. */
export function showList(items: readonly string[]): string {
  if (items.length === 0) return "{}";
  const shown = items.slice(0, MAX_LINES);
  if (items.length > shown.length) shown.push(`... ${items.length - shown.length} more`);
  return `{\n${shown.map((item) => `  ${item.replaceAll("\n", "\n  ")}\n`).join("")}}`;
}

/** A line for a list of texts, unless it is empty. */
export function showTexts(name: string, texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : [`${name}: ${first(texts, showText)}`];
}

/** The first of some numbers. */
export function showNumbers(numbers: ArrayLike<number>): string {
  return first(numbers, String);
}

function first<T>(items: ArrayLike<T>, show: (item: T) => string): string {
  const shown = Array.from({ length: Math.min(items.length, MAX_ITEMS) }, (_, index) =>
    show(items[index] as T),
  );
  if (items.length > shown.length) shown.push(`... ${items.length - shown.length} more`);
  return shown.join(", ");
}
