import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/ports.js";
import { configFiles, moduleFiles } from "./proto-workspace.js";

/** Looking at a thousand files takes some 20 ms: this often it costs next to nothing, and nobody waits. */
const POLL_INTERVAL_MS = 300;

/** When a scan takes long, the share of the time that scans may take. */
const PAUSES_PER_SCAN = 20;

/** What all protos and buf's configuration look like; differs when one was changed, added or removed. */
export async function protoFingerprint(
  folder: string,
  modules: readonly string[],
): Promise<string> {
  const files = await moduleFiles(folder, modules);
  const paths = [...configFiles, ...files.map(({ path }) => path)];
  const looks = await Promise.all(
    paths.map(async (path) => {
      const { size, mtimeMs } = await stat(join(folder, path)).catch(() => nothing);
      return `${path} ${size} ${mtimeMs}`;
    }),
  );
  return looks.join("\n");
}

const nothing = { size: -1, mtimeMs: -1 } as const;

/**
 * Waits until something is not as it was, and then until it stays as it is: editors save in several steps. Looks at the files
 * themselves, for that works on every file system and through links.
 *
 * @param look - what is there now
 * @param before - what was there
 * @returns false when the signal ended it
 */
export async function untilChanged(
  look: () => Promise<string>,
  before: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  let last = before;
  let pauseMs = POLL_INTERVAL_MS;
  while (await pause(pauseMs, clock, signal)) {
    const startedMs = clock.now();
    const now = await look();
    if (now !== before && now === last) return true;
    last = now;
    pauseMs = Math.max(POLL_INTERVAL_MS, PAUSES_PER_SCAN * (clock.now() - startedMs));
  }
  return false;
}

/** Resolves to false when the signal ended it. */
function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stop = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", stop);
      resolve(true);
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
