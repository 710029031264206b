import { readFileSync } from "node:fs";

/** Version of the kit, from its package.json (two folders above the compiled file, or one above `src`). */
export const KIT_VERSION: string = readVersion();

function readVersion(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), "utf8");
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === "inferwire" && version !== undefined) return version;
    } catch {
      // Not there: `src` and `dist/src` lie at different depths below the package.
    }
  }
  return "unknown";
}
