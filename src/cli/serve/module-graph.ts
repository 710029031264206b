import { createRequire, register } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";

/** The kit's own files: a copy that is linked stands outside of any `node_modules`. */
const OWN = new URL("../../", import.meta.url).href;

/** What a process has loaded. */
export interface ModuleGraph {
  /** Reports what is known by now and was not reported yet, CommonJS modules included. */
  flush(): void;
}

/**
 * Tells which of the user's files this process loads from now on: modules, whoever imports them, but those of packages.
 *
 * @param report - called with absolute paths, each once
 */
export function followModules(report: (files: readonly string[]) => void): ModuleGraph {
  const known = new Set<string>();
  const take = (urls: readonly string[]): void => {
    const files = urls.filter(isUsers).map((url) => fileURLToPath(withoutQuery(url)));
    const fresh = [...new Set(files)].filter((file) => !known.has(file));
    for (const file of fresh) known.add(file);
    if (fresh.length > 0) report(fresh);
  };
  const { port1: own, port2: port } = new MessageChannel();
  register(new URL("./module-graph-hooks.js", import.meta.url), {
    data: { port },
    transferList: [port],
  });
  own.on("message", (url: string) => take([url]));
  own.unref();
  const { cache } = createRequire(import.meta.url);
  return {
    flush() {
      const urls: string[] = [];
      for (
        let one = receiveMessageOnPort(own);
        one !== undefined;
        one = receiveMessageOnPort(own)
      ) {
        urls.push(String(one.message));
      }
      take([...urls, ...Object.keys(cache).map((path) => pathToFileURL(path).href)]);
    },
  };
}

function isUsers(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") && !url.startsWith(OWN);
}

// Loaders hang queries of their own behind a module's address.
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, "");
}
