import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startDirectory } from "inferwire/directory";
import { afterEach, describe, expect, it } from "vitest";
import { codeBlocks, pageText } from "../support/markdown.js";
import { type Program, startNode } from "../support/programs.js";
import { recordingLogger } from "../support/recording-logger.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}.inferwire/readme-${process.pid}`;
const readme = pageText("README.md");
const blocks = codeBlocks(readme, "ts");

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function start(name: string, code: string): Program {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}.ts`, code);
  return startNode(["--import", "tsx", `${folder}/${name}.ts`]);
}

describe("README.md", () => {
  it("has its first code by line 15, and links to every page within a first screen of 40 lines", () => {
    const lines = readme.split("\n");
    expect(lines.findIndex((line) => line.startsWith("```")) + 1).toBeLessThanOrEqual(15);
    const screen = lines.slice(0, 40).join("\n");
    const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith(".md"));
    for (const name of pages) expect(screen).toContain(`](docs/${name})`);
    expect(lines.findLastIndex((line) => line.includes("](CHANGELOG.md)"))).toBeLessThan(40);
    expect(readme).toContain("npm ci && npm start");
    expect(readme).toContain("npm ci && npm test");
  });

  it("has code that works: a host, and a client that finds it", async () => {
    const { logger } = recordingLogger();
    await using directory = await startDirectory({ endpoint: "127.0.0.1:0", logger });
    const at = `${directory.address.host}:${directory.address.port}`;
    const [hostCode = "", clientCode = ""] = blocks.map(({ code }) =>
      code.replaceAll("127.0.0.1:8100", at),
    );
    const host = start(
      "host",
      hostCode.replace('service: "threshold"', 'service: "threshold", endpoint: "127.0.0.1:0"'),
    );
    await host.said("registered");
    const client = start("client", clientCode);
    await client.exited;
    expect(client.output()).toContain("True\n");
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  });
});
