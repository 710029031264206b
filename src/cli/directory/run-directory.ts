import { addressText } from "../../core/instance.js";
import { startDirectory } from "../../directory/start-directory.js";
import type { CliContext } from "../command.js";
import { readDirectoryOptions } from "./directory-sources.js";
import type { DirectoryFlags } from "./flags.js";

/** Runs a directory until the signal. */
export async function runDirectory(flags: DirectoryFlags, context: CliContext): Promise<void> {
  const { signal, terminal } = context;
  const running = await startDirectory(await readDirectoryOptions(flags, context));
  const address = addressText(running.address.host, running.address.port);
  terminal.result({ address }, `directory at ${address}`);
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  await running.close();
}
