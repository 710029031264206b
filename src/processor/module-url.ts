import { createRequire } from "node:module";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/**
 * Tells the URL of the module that lanes load.
 *
 * @param module - a URL, the text of one, or an absolute path; undefined means the program's main module
 * @throws ConfigError `INVALID_OPTION` when it is none of these, or there is no main module.
 */
export function moduleUrl(module: URL | string | undefined): string {
  if (module === undefined) return mainModule();
  if (module instanceof URL) return module.href;
  if (typeof module === "string") {
    if (isAbsolute(module)) return pathToFileURL(module).href;
    if (URL.canParse(module)) return module;
  }
  throw servingError(
    "INVALID_OPTION",
    `options.module is ${seen(module)}, expected a file URL (such as import.meta.url) or an absolute path`,
  );
}

function mainModule(): string {
  const path = process.argv[1];
  if (path === undefined || !isAbsolute(path)) {
    throw servingError(
      "INVALID_OPTION",
      "options.module is missing, and the program has no main module that lanes could load instead",
    );
  }
  return pathToFileURL(resolved(path)).href;
}

// Node takes `node main` for main.js; an import does not.
function resolved(path: string): string {
  try {
    return createRequire(pathToFileURL(path)).resolve(path);
  } catch {
    // What cannot be found fails where it is loaded, with Node's own text.
    return path;
  }
}
