import { emptyMetadata, type MetadataValue, type MetadataView } from "../core/metadata.js";

/** In front of a key whose value is bytes, in base64; no key begins with it. */
const BYTES = "\0";

/**
 * Appends metadata to a list of texts: key, value, key, value.
 *
 * @returns `texts`, with the metadata behind what was in it.
 */
export function textsFromMetadata(metadata: MetadataView, texts: string[] = []): string[] {
  if (metadata === emptyMetadata) return texts;
  for (const [key, value] of metadata.entries()) {
    if (typeof value === "string") texts.push(key, value);
    else texts.push(BYTES + key, Buffer.from(value).toString("base64"));
  }
  return texts;
}

/** Reads the metadata that stands in a list of texts, from one place to another. */
export function metadataFromTexts(
  texts: readonly string[],
  from = 0,
  to: number = texts.length,
): MetadataView {
  return to <= from ? emptyMetadata : new TextsView(texts, from, to);
}

class TextsView implements MetadataView {
  readonly #texts: readonly string[];
  readonly #from: number;
  readonly #to: number;

  constructor(texts: readonly string[], from: number, to: number) {
    this.#texts = texts;
    this.#from = from;
    this.#to = to;
  }

  get(key: string): MetadataValue | undefined {
    const texts = this.#texts;
    for (let at = this.#from; at < this.#to; at += 2) {
      const found = texts[at] ?? "";
      if (found === key) return texts[at + 1];
      if (found.startsWith(BYTES) && found.slice(1) === key) return bytesOf(texts[at + 1]);
    }
    return undefined;
  }

  *entries(): Iterable<readonly [string, MetadataValue]> {
    const texts = this.#texts;
    for (let at = this.#from; at < this.#to; at += 2) {
      const key = texts[at] ?? "";
      const value = texts[at + 1] ?? "";
      yield key.startsWith(BYTES) ? [key.slice(1), bytesOf(value)] : [key, value];
    }
  }
}

function bytesOf(text = ""): Uint8Array {
  return Buffer.from(text, "base64");
}
