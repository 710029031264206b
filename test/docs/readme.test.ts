import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startDirectory } from "inferwire/directory";
import { afterEach, describe, expect, it } from "vitest";
import { recordingLogger } from "../support/hosts.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}.inferwire/readme-${process.pid}`;
const readme = readFileSync(`${root}README.md`, "utf8");
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function start(name: string, code: string): { readonly child: ChildProcess; output(): string } {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}.ts`, code);
  const child = spawn(process.execPath, ["--import", "tsx", `${folder}/${name}.ts`], { cwd: root });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  return { child, output: () => output };
}

describe("README.md", () => {
  it("has its first code by line 15 and a first screen of at most 40 lines", () => {
    const lines = readme.split("\n");
    expect(lines.findIndex((line) => line.startsWith("```")) + 1).toBeLessThanOrEqual(15);
    const links = lines.findIndex((line) => line.startsWith("[Options]"));
    expect(links).toBeLessThanOrEqual(40);
    expect(readme).toContain("npm ci && npm start");
    expect(readme).toContain("npm ci && npm test");
  });

  it("has code that works: a host, and a client that finds it", async () => {
    const { logger } = recordingLogger();
    await using directory = await startDirectory({ endpoint: "127.0.0.1:0", logger });
    const at = `${directory.address.host}:${directory.address.port}`;
    const [hostCode = "", clientCode = ""] = blocks.map((code) =>
      code.replaceAll("127.0.0.1:8100", at),
    );
    const host = start(
      "host",
      hostCode.replace('service: "threshold"', 'service: "threshold", endpoint: "127.0.0.1:0"'),
    );
    while (!host.output().includes("registered")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const client = start("client", clientCode);
    await once(client.child, "exit");
    expect(client.output()).toContain("True\n");
    host.child.kill("SIGTERM");
    const [exitCode] = await once(host.child, "exit");
    expect(exitCode).toBe(0);
  });
});
