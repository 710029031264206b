import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A page with a script, on a port of its own. */
export interface WebPage {
  readonly origin: string;
  /** The same page, of an origin that a browser takes for another one. */
  readonly strangeOrigin: string;
  close(): Promise<void>;
}

/** Bundles a program of `test/browser` for browsers and serves it as the script of an empty page. */
export async function serveWebPage(program: string): Promise<WebPage> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../browser/${program}`, import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  const script = outputFiles[0]?.text ?? "";
  const html =
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/script.js"></script>';
  const server = createServer(({ url }, response) => {
    const isScript = url === "/script.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    strangeOrigin: `http://localhost:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
