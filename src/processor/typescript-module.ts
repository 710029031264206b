import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";
import { servingError } from "../core/serving-error.js";

const TYPESCRIPT = /\.[mc]?ts$/;

/** The loader that tsx adds to the command line of what it runs. */
const TSX_LOADER = /^(file:.*[/\\]tsx[/\\]dist[/\\])loader\.mjs$/;

/**
 * Makes sure that a module can be imported although it is TypeScript: by Node itself where it can, else by tsx, as the
 * module's own package has it installed. Under tsx a main thread needs nothing; worker threads do not inherit its loader.
 *
 * @throws ConfigError `INVALID_OPTION` saying what to install.
 */
export async function prepareTypeScript(url: string): Promise<void> {
  const loader = process.execArgv.find((argument) => TSX_LOADER.test(argument));
  if (loader !== undefined && isMainThread) return;
  const typeScript = TYPESCRIPT.test(new URL(url).pathname);
  if (loader === undefined && (!typeScript || nodeTakesTypeScript())) return;
  const dist = loader === undefined ? installedTsx(url) : loader.replace(TSX_LOADER, "$1");
  for (const api of ["esm/api/index.mjs", "cjs/api/index.mjs"]) {
    const { register } = (await import(dist + api)) as { register(): unknown };
    register();
  }
}

/** From Node 22.18 on, or with its flag; older versions do not know the feature. */
function nodeTakesTypeScript(): boolean {
  return typeof Reflect.get(process.features, "typescript") === "string";
}

/** URL of tsx's folder of programs. */
function installedTsx(url: string): string {
  try {
    const manifest = createRequire(url).resolve("tsx/package.json");
    return new URL("dist/", pathToFileURL(manifest)).href;
  } catch (cause) {
    throw servingError(
      "INVALID_OPTION",
      `${url} is TypeScript, which Node ${process.versions.node} does not take by itself: npm install tsx, ` +
        "name a compiled module, or use Node 22.18 or later",
      { cause },
    );
  }
}
