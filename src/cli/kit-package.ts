import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import { KIT_FOLDER } from "../host/version.js";

/** Where the kit lies. */
export const kitFolder: string = KIT_FOLDER;

/**
 * The version of a package that the kit is tested with, from its own package.json: exact for what is a tool to it, the lowest of
 * the range for what it depends on.
 *
 * @throws HostError `INTERNAL` for a package that the kit does not name.
 */
export function testedVersion(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(kitFolder, "package.json"), "utf8"));
  for (const list of ["devDependencies", "dependencies"]) {
    const versions = isRecord(manifest) ? manifest[list] : undefined;
    const version = isRecord(versions) ? versions[name] : undefined;
    if (typeof version === "string") return version.replace(/^\^/, "");
  }
  throw servingError("INTERNAL", `the kit's package.json names no version of ${name}`);
}
