/** What happens to a sequence on its way. */
export interface PieceHooks {
  /** Lets a piece through, or throws. */
  check?(piece: Uint8Array): void;
  /** Turns what the sequence, or `check`, threw into what the reader sees. */
  failed?(thrown: unknown): Error;
  /** Called after the last piece, before `ended`. */
  completed?(): void;
  /** Called once: after the last piece, after a failure, or when the reader stops, even if it never began. */
  ended?(): void;
}

/**
 * Wraps a sequence of payloads. Written by hand because a generator that is given up before its first piece runs none of
 * its code: whoever waits for the end of the sequence would wait for ever.
 */
export function wrapPieces(
  pieces: AsyncIterable<Uint8Array>,
  hooks: PieceHooks,
): AsyncIterable<Uint8Array> {
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    hooks.ended?.();
  };
  return {
    [Symbol.asyncIterator]() {
      const iterator = pieces[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await iterator.next();
            if (result.done === true) {
              if (!over) hooks.completed?.();
              end();
            } else {
              hooks.check?.(result.value);
            }
            return result;
          } catch (thrown) {
            end();
            throw hooks.failed?.(thrown) ?? thrown;
          }
        },
        async return() {
          end();
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Ends a sequence that nobody will read, so that what made it can let go of what it holds. */
export async function abandonPieces(pieces: AsyncIterable<unknown>): Promise<void> {
  await pieces[Symbol.asyncIterator]().return?.();
}
