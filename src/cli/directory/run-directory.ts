import { addressText } from "../../core/instance.js";
import { directoryDefaults } from "../../directory/directory-options.js";
import { startDirectory } from "../../directory/start-directory.js";
import type { CliContext } from "../command.js";
import { readDirectoryOptions } from "./directory-sources.js";
import type { DirectoryFlags } from "./flags.js";

/** Runs a directory until the signal. */
export async function runDirectory(flags: DirectoryFlags, context: CliContext): Promise<void> {
  const { signal, terminal } = context;
  const options = await readDirectoryOptions(flags, context);
  const { store = directoryDefaults.store } = options;
  const running = await startDirectory(options, signal).catch((thrown: unknown) => {
    // Stopped while it waited for its store.
    if (signal.aborted && thrown === signal.reason) return undefined;
    throw thrown;
  });
  if (running === undefined) return;
  const address = addressText(running.address.host, running.address.port);
  terminal.result({ address, store }, `directory at ${address}, store ${store}`);
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  await running.close();
}
