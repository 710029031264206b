import { AsyncLocalStorage } from "node:async_hooks";
import { type AmbientCall, hasAmbientHolder, setAmbientHolder } from "../../core/ambient-call.js";

/**
 * From now on calls know on whose behalf they are made: done once, by the first channel of a process. Calls that a host
 * was already serving then stay without.
 */
export function keepAmbientCall(): void {
  if (hasAmbientHolder()) return;
  const storage = new AsyncLocalStorage<AmbientCall | undefined>();
  setAmbientHolder({
    run: (call, work) => storage.run(call, work),
    current: () => storage.getStore(),
  });
}
