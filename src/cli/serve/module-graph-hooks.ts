import type { LoadHook, ResolveHook } from "node:module";
import type { MessagePort } from "node:worker_threads";

// Node loads this file into the thread of its module loader.

let port: MessagePort | undefined;

/** Called by Node with what was registered. */
export function initialize(data: { readonly port: MessagePort }): void {
  port = data.port;
}

/** Tells of files that are imported by a path, also of those that are not there yet. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const { parentURL } = context;
  if (
    parentURL !== undefined &&
    /^\.{0,2}\//.test(specifier) &&
    URL.canParse(specifier, parentURL)
  ) {
    port?.postMessage(new URL(specifier, parentURL).href);
  }
  return next(specifier, context);
};

/** Tells of what is loaded. */
export const load: LoadHook = (url, context, next) => {
  port?.postMessage(url);
  return next(url, context);
};
