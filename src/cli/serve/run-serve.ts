import cluster from "node:cluster";
import type { CliContext } from "../command.js";
import type { ServeRequest } from "./serve-sources.js";

/**
 * Runs `serve`: with `--watch` in a process that watches, and in those that it starts for serving.
 *
 * @returns the exit code, if it is not 0
 */
export async function runServe(
  request: ServeRequest,
  context: CliContext,
): Promise<number | undefined> {
  if (request.flags.watch !== true) return await serveOnce(request, context);
  if (cluster.isWorker) {
    const { serveInWorker } = await import("./watch-worker.js");
    return await serveInWorker(request, context);
  }
  const { watchServe } = await import("./watch-primary.js");
  return await watchServe(request, context);
}

async function serveOnce(request: ServeRequest, context: CliContext): Promise<undefined> {
  const [{ readServeSources }, { startServing }, { generateToken }, { showServed }, { endLater }] =
    await Promise.all([
      import("./serve-sources.js"),
      import("./serve-host.js"),
      import("./generated-token.js"),
      import("./show-served.js"),
      import("./end-later.js"),
    ]);
  const { clock, signal, terminal } = context;
  try {
    const sources = await readServeSources(request);
    const ports = { clock, signal, json: terminal.json, generateToken, takesOver: false };
    const serving = await startServing(sources, ports);
    if (serving !== undefined) showServed(serving.served, context);
    await serving?.closed;
  } finally {
    endLater(clock);
  }
}
