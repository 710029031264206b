import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What one part of an install takes. */
export interface InstalledPart {
  /** Name of the package. */
  readonly name: string;
  readonly bytes: number;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * What `npm install inferwire` brings without optional peers, by package, the largest first: what the lockfile has for run
 * time, as it lies in `node_modules`, and the files that the kit itself is packed with. Sizes of files, not of blocks.
 *
 * @throws Error for a package that is missing, unless it is for another platform.
 */
export function runtimeInstall(): readonly InstalledPart[] {
  const { packages } = readJson<{ packages: Record<string, LockedPackage> }>("package-lock.json");
  const locked = Object.entries(packages).filter(
    ([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true,
  );
  const parts = locked.flatMap(([path, { optional }]) => {
    if (!existsSync(root + path)) {
      if (optional === true) return [];
      throw new Error(`${path} is in the lockfile and not installed`);
    }
    return [{ name: path.replace(/^.*node_modules\//, ""), bytes: bytesBelow(path) }];
  });
  const { files } = readJson<{ files: readonly string[] }>("package.json");
  const own = ["package.json", ...files].reduce((sum, path) => sum + bytesBelow(path), 0);
  return [{ name: "inferwire", bytes: own }, ...parts].sort((a, b) => b.bytes - a.bytes);
}

/** Without packages inside of a package, which have lines of their own in the lockfile. */
function bytesBelow(path: string): number {
  const stat = statSync(root + path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(root + path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + bytesBelow(`${path}/${name}`), 0);
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(root + file, "utf8"));
}
