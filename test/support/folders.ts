import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The kit's own folder. */
export const kitFolder: string = fileURLToPath(new URL("../../", import.meta.url));

/** Below the kit's folder: what is written there can import the kit by its name. */
export const insideKit: string = join(kitFolder, ".inferwire");

const folders: string[] = [];

/** A project with all its packages is some twenty thousand files. */
const REMOVE_WITHIN_MS = 120_000;

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}, REMOVE_WITHIN_MS);

/** Makes an empty folder that is removed after the tests of the file. */
export function emptyFolder(parent: string = tmpdir()): string {
  mkdirSync(parent, { recursive: true });
  const folder = realpathSync(mkdtempSync(join(parent, "inferwire-test-")));
  folders.push(folder);
  return folder;
}
