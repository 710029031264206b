import { startDirectory } from "inferwire/directory";
import { afterEach } from "vitest";
import { createDirectoryClient, type DirectoryClient } from "./directory-client.js";
import { recordingLogger } from "./recording-logger.js";

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Starts a directory on a free port, silent, that is closed after the test; with a plain client of it. */
export async function startTestDirectory(
  options: Omit<Parameters<typeof startDirectory>[0], "endpoint"> = {},
): Promise<{ readonly port: number; readonly directory: DirectoryClient }> {
  const running = await startDirectory({
    endpoint: "127.0.0.1:0",
    logger: recordingLogger().logger,
    ...options,
  });
  closing.push(() => running.close());
  const { port } = running.address;
  const directory = createDirectoryClient(port);
  closing.push(() => directory.close());
  return { port, directory };
}
