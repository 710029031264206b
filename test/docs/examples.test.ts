import { describe, expect, it } from "vitest";
import { startNode } from "../support/programs.js";
import { post } from "../support/raw-http.js";

describe("examples/mnist", () => {
  it("classifies, loses no call when a host is killed, meets every share, and ends by itself", async () => {
    const example = startNode(["--import", "tsx", "examples/mnist/main.ts"]);
    expect([await example.exited, example.output()]).toEqual([
      0,
      expect.stringContaining("failed calls     0"),
    ]);
  }, 90_000);
});

describe("examples/threshold", () => {
  it("answers as the documents say, and stops in order on Ctrl+C", async () => {
    const example = startNode(["examples/threshold/main.js", "127.0.0.1:0"]);
    await example.said("service started");
    const port = Number(
      /"address":"127\.0\.0\.1:(\d+)","msg":"service started"/.exec(example.output())?.[1],
    );
    const passed = await post(port, "/", "10 20");
    expect([passed.status, passed.text]).toEqual([200, "True"]);
    const failed = await post(port, "/", "2 105");
    expect([failed.status, failed.text]).toEqual([400, "False"]);
    example.child.kill("SIGINT");
    expect(await example.exited).toBe(0);
    expect(example.output()).toContain("shutting down ... press Ctrl+C again to force quit");
  });
});
