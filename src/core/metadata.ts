/** A metadata value: text, or bytes when the key ends in `-bin`. */
export type MetadataValue = string | Uint8Array;

/** Headers or trailers of a call, whatever engine brought them; keys are lower case. */
export interface MetadataView {
  /** First value of a key, or undefined. */
  get(key: string): MetadataValue | undefined;
  /** Every key with every value of it. */
  entries(): Iterable<readonly [key: string, value: MetadataValue]>;
}

/** What an engine's own metadata object must offer to be viewed (grpc-js's has exactly this). */
export interface NativeMetadata {
  get(key: string): readonly MetadataValue[];
  toJSON(): { readonly [key: string]: readonly MetadataValue[] };
}

/** A view over an engine's own metadata object, so that handing it on within the same engine costs no conversion. */
export class NativeMetadataView<N extends NativeMetadata = NativeMetadata> implements MetadataView {
  /** The engine's own object. */
  readonly native: N;

  constructor(native: N) {
    this.native = native;
  }

  get(key: string): MetadataValue | undefined {
    return this.native.get(key)[0];
  }

  *entries(): Iterable<readonly [string, MetadataValue]> {
    const all = this.native.toJSON();
    for (const key of Object.keys(all)) {
      for (const value of all[key] ?? []) yield [key, value];
    }
  }
}

/** Metadata made of pairs, in order; keys are taken as they are and must be lower case. */
export function metadataOf(
  pairs: Iterable<readonly [string, MetadataValue]> | Readonly<Record<string, MetadataValue>>,
): MetadataView {
  const list = Symbol.iterator in pairs ? [...pairs] : Object.entries(pairs);
  return {
    get: (key) => list.find(([name]) => name === key)?.[1],
    entries: () => list,
  };
}

/** No metadata at all. */
export const emptyMetadata: MetadataView = metadataOf([]);

/** First value of a key when it is text. */
export function metadataText(metadata: MetadataView, key: string): string | undefined {
  const value = metadata.get(key);
  return typeof value === "string" ? value : undefined;
}

/** How many headers there are, and the bytes of their names and values. */
export interface MetadataSize {
  readonly count: number;
  readonly bytes: number;
}

/** Measures metadata that came from an engine; without an iterator, since every call is measured. */
export function nativeMetadataSize(native: NativeMetadata): MetadataSize {
  const all = native.toJSON();
  let count = 0;
  let bytes = 0;
  for (const key of Object.keys(all)) {
    for (const value of all[key] ?? []) {
      count++;
      bytes += key.length + value.length;
    }
  }
  return { count, bytes };
}
