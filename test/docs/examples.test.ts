import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { post } from "../support/raw-http.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(...args: string[]): { readonly child: ChildProcess; output(): string } {
  const child = spawn(process.execPath, args, { cwd: root });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  return { child, output: () => output };
}

async function said(process: { output(): string }, text: string): Promise<void> {
  while (!process.output().includes(text)) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("examples/mnist", () => {
  it("classifies, loses no call when a host is killed, meets every share, and ends by itself", async () => {
    const example = start("--import", "tsx", "examples/mnist/main.ts");
    const [exitCode] = await once(example.child, "exit");
    expect([exitCode, example.output()]).toEqual([
      0,
      expect.stringContaining("failed calls     0"),
    ]);
  }, 90_000);
});

describe("examples/threshold", () => {
  it("answers as the documents say, and stops in order on Ctrl+C", async () => {
    const example = start("examples/threshold/main.js", "127.0.0.1:0");
    await said(example, "service started");
    const port = Number(
      /"address":"127\.0\.0\.1:(\d+)","msg":"service started"/.exec(example.output())?.[1],
    );
    const passed = await post(port, "/", "10 20");
    expect([passed.status, passed.text]).toEqual([200, "True"]);
    const failed = await post(port, "/", "2 105");
    expect([failed.status, failed.text]).toEqual([400, "False"]);
    example.child.kill("SIGINT");
    const [exitCode] = await once(example.child, "exit");
    expect(exitCode).toBe(0);
    expect(example.output()).toContain("shutting down ... press Ctrl+C again to force quit");
  });
});
