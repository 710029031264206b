import type { Metadata, MetadataValue } from "nice-grpc-common";
import type { CallReport } from "../core/serving-error.js";
import type { EndedCall } from "./call/ended-call.js";

/** What can be said for a single call, besides nice-grpc's own call options. */
export interface CallExtras {
  /** Deadline of this call with all its attempts, in milliseconds; of a stream to its first message. */
  timeoutMs?: number | undefined;
  /** Doing the work twice is harmless, so the call may be sent again after a broken connection. */
  idempotent?: boolean | undefined;
  /**
   * The call is not part of the call that is being served: it takes over neither its deadline nor its end, for work that goes on
   * after the answer. Its trace it takes over anyway.
   *
   * @defaultValue false
   */
  detached?: boolean | undefined;
  /** Told once what the call went through, before it settles. */
  onReport?: ((report: CallReport) => void) | undefined;
}

/** Ties what the app said for a call, and what became of it, together across nice-grpc. */
export class CallContext {
  extras: CallExtras;
  /** The latest call that was made for it; a middleware may make several. */
  call: EndedCall | undefined;

  constructor(extras: CallExtras) {
    this.extras = extras;
  }
}

type Pairs = ReturnType<Metadata[typeof Symbol.iterator]>;

const noPairs: readonly [string, (string | Uint8Array)[]][] = [];

/**
 * Metadata that tells the channel whose call comes next.
 *
 * nice-grpc calls a channel with nothing but path and deadline. It reads the metadata in the same breath, as the argument
 * of the function that then makes the call, and nobody else reads this object: reading it is the moment to say so. That
 * costs no key on the wire, no table and no AsyncLocalStorage.
 */
export class TaggedMetadata implements Metadata {
  readonly #context: CallContext;
  readonly #metadata: Metadata | undefined;
  readonly #announce: (context: CallContext) => void;

  constructor(
    context: CallContext,
    metadata: Metadata | undefined,
    announce: (context: CallContext) => void,
  ) {
    this.#context = context;
    this.#metadata = metadata;
    this.#announce = announce;
  }

  [Symbol.iterator](): Pairs {
    this.#announce(this.#context);
    const metadata = this.#metadata;
    return metadata === undefined ? noPairs.values() : metadata[Symbol.iterator]();
  }

  set(): never {
    return this.#readOnly();
  }

  append(): never {
    return this.#readOnly();
  }

  delete(): never {
    return this.#readOnly();
  }

  get<Key extends string>(key: Key): MetadataValue<Key> | undefined {
    return this.#metadata?.get(key);
  }

  getAll<Key extends string>(key: Key): MetadataValue<Key>[] {
    return this.#metadata?.getAll(key) ?? [];
  }

  has(key: string): boolean {
    return this.#metadata?.has(key) ?? false;
  }

  #readOnly(): never {
    throw new Error("metadata on its way to the channel cannot be changed");
  }
}
