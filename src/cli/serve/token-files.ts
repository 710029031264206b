import type { CancelTimer, Clock, Logger } from "../../core/ports.js";
import { ServingError } from "../../core/serving-error.js";
import type { OptionText } from "../../host/option-texts.js";

/** How often a token's file is looked at. Mounted secrets are exchanged by links, which no file watcher follows everywhere. */
const LOOK_MS = 2_000;

/** How long a token from before holds beside the new one, so that callers can change over. */
const OVERLAP_MS = 60_000;

/** What following a token's file needs. */
export interface TokenFilePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with the tokens that hold from now on, the newest first. */
  use(tokens: readonly string[]): void;
}

/**
 * Follows the file of a token. A file that cannot be read, or holds no token, changes nothing, and is logged once.
 *
 * @param text - the file, and how it is read
 * @param first - the token that was read from it
 * @returns what ends it
 */
export function followTokenFile(
  text: OptionText,
  first: string,
  { clock, logger, use }: TokenFilePorts,
): () => void {
  let current = first;
  let failing = false;
  let ended = false;
  let cancelLook: CancelTimer = () => {};
  /** Tokens from before that still hold, the oldest first. */
  const overlapping = new Map<string, CancelTimer>();
  const useAll = (): void => use([current, ...[...overlapping.keys()].reverse()]);
  const release = (token: string): void => {
    overlapping.get(token)?.();
    overlapping.delete(token);
  };
  const change = (next: string): void => {
    const before = current;
    current = next;
    // It may be one from before that has come back.
    release(next);
    const over = (): void => {
      release(before);
      useAll();
    };
    overlapping.set(before, clock.after(OVERLAP_MS, over, { background: true }));
    useAll();
    logger.info({ from: text.where, overlapMs: OVERLAP_MS }, "token changed");
  };
  const look = async (): Promise<void> => {
    try {
      const next = String(await text.variable.read(text.text, text.where));
      failing = false;
      if (!ended && next !== current) change(next);
    } catch (thrown) {
      const { message } = ServingError.from(thrown);
      if (!failing) logger.warn({ reason: message }, "the token from before holds on");
      failing = true;
    }
    if (!ended) later();
  };
  const later = (): void => {
    cancelLook = clock.after(LOOK_MS, () => void look(), { background: true });
  };
  later();
  return () => {
    ended = true;
    cancelLook();
    for (const token of [...overlapping.keys()]) release(token);
  };
}
