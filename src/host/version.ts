import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The kit's own package: two folders above the compiled file, or one above `src`. */
const kit = readKit();

/** Version of the kit, from its package.json. */
export const KIT_VERSION: string = kit.version;

/** Absolute path of the kit's own folder: where its package.json and `proto` are. */
export const KIT_FOLDER: string = kit.folder;

function readKit(): { readonly version: string; readonly folder: string } {
  for (const up of ["../../", "../../../"]) {
    try {
      const text = readFileSync(new URL(`${up}package.json`, import.meta.url), "utf8");
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === "inferwire" && version !== undefined) {
        return { version, folder: fileURLToPath(new URL(up, import.meta.url)) };
      }
    } catch {
      // Not there: `src` and `dist/src` lie at different depths below the package.
    }
  }
  return { version: "unknown", folder: fileURLToPath(new URL("../../../", import.meta.url)) };
}
