import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Finds an installed package as a module in a folder would: in its `node_modules` or in those above, links followed.
 *
 * @param folder - absolute path
 * @returns the package's own folder; undefined when it is not installed
 */
export function findPackage(name: string, folder: string): string | undefined {
  const found = join(folder, "node_modules", name);
  if (existsSync(join(found, "package.json"))) return realpathSync(found);
  const above = dirname(folder);
  return above === folder ? undefined : findPackage(name, above);
}
