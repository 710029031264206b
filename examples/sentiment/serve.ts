/**
 * The service, and a page that calls it with nothing between them: `serve.ts [ENDPOINT] [PORT]`. The page comes from a port of
 * its own, so the host has to be told that it may call (`cors`).
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Sentiment } from "./processor.js";

const [endpoint = "127.0.0.1:8080", pagePort = "8081"] = process.argv.slice(2);
const html = readFileSync(new URL("page/index.html", import.meta.url));
let script = "";

const pages = createServer(({ url }, response) => {
  const isScript = url === "/main.js";
  response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? script : html);
});
pages.listen(Number(pagePort), "127.0.0.1");
await once(pages, "listening");
const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;

const host = await new Sentiment({
  service: "sentiment",
  endpoint,
  cors: { origins: [origin] },
}).start();
const address = `${host.address.host}:${host.address.port}`;
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("page/main.ts", import.meta.url))],
  define: { HOST: JSON.stringify(`http://${address}`) },
  bundle: true,
  format: "esm",
  platform: "browser",
  write: false,
});
script = outputFiles[0]?.text ?? "";
console.log(`the service is at ${address}, the page at ${origin}`);

await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
pages.close();
pages.closeAllConnections();
await host.close();
