import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { runScript } from "../support/client-child.js";
import { startTestHost } from "../support/hosts.js";

const built = (file: string): string => pathToFileURL(join(process.cwd(), "dist/src", file)).href;

/** A process with a transport that watches health; `body` runs when it knows that the host is serving. */
function script(port: number, body: string): string {
  return `
    import { createGrpcTransport } from "${built("transport/grpc-transport.js")}";
    import { instanceOf } from "${built("core/instance.js")}";
    import { emptyMetadata as metadata } from "${built("core/metadata.js")}";
    const transport = createGrpcTransport(
      instanceOf({ host: "127.0.0.1", port: ${port} }),
      { tls: undefined, maxMessageBytes: 1_000_000, pingIntervalMs: 0 },
    );
    const alive = setInterval(() => {}, 1_000);
    const call = () => new Promise((resolve) => {
      const path = "/inferwire.predict.v1.PredictService/Predict";
      const start = { path, metadata, timeoutMs: Infinity, previousAttempts: 0 };
      const attempt = transport.start(start, {
        onHeaders() {},
        onMessage() {},
        onEnd(end) {
          console.log("ended with", end.code);
          resolve();
        },
      });
      attempt.send(new Uint8Array(0));
      attempt.halfClose();
      attempt.read();
    });
    transport.onState((state) => {
      if (state !== "ready") return;
      transport.health.watch(async (serving) => {
        console.log("serving", serving);
        clearInterval(alive);
        ${body}
      });
    });
    transport.connect();
  `;
}

describe("createGrpcTransport: the process", () => {
  it.each([
    ["ends by itself with an open watch and nothing else", "", ""],
    ["ends with a ping under way", "transport.health.ping(60_000, () => {});", ""],
    ["lives for a call", "call();", "\nended with 0"],
    [
      "lives for each of several calls, and for no longer",
      "await call(); call(); transport.health.ping(60_000, () => {}); await call();",
      "\nended with 0\nended with 0\nended with 0",
    ],
  ])("%s", async (_name, body, output) => {
    const host = await startTestHost({
      async process(data) {
        await sleep(200);
        return data;
      },
    });
    const run = await runScript(script(host.port, body), 8_000);
    expect(run).toMatchObject({ code: 0, output: `serving true${output}` });
  });
});
