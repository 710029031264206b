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

describe("examples of EAS's client", () => {
  it("mnist/eas.ts prints answers of the page's own program, and tells digits apart", async () => {
    const example = startNode(["--import", "tsx", "examples/mnist/eas.ts"]);
    expect(await example.exited).toBe(0);
    expect(example.output().match(/scores/g)?.length).toBeGreaterThanOrEqual(3);
    const shares = /(\d+) of 300 digits right; calls: \S+ (\d+), \S+ (\d+)/.exec(example.output());
    expect(Number(shares?.[1])).toBeGreaterThanOrEqual(288);
    const [most = 0, least = 0] = [Number(shares?.[2]), Number(shares?.[3])].sort((a, b) => b - a);
    expect([Math.abs(most - 200) <= 1, Math.abs(least - 100) <= 1]).toEqual([true, true]);
  }, 60_000);

  it("torch/main.ts prints what the layer gives, by index and by name", async () => {
    const example = startNode(["--import", "tsx", "examples/torch/main.ts"]);
    expect(await example.exited).toBe(0);
    expect(example.output()).toContain("by index [ 2, 2 ] [ 11, 22, 18, 30 ]");
    expect(example.output()).toContain("by name  [ 2, 2 ] [ 11, 22, 18, 30 ]");
  });

  it("strings/main.ts prints counts, and shares its calls by weight", async () => {
    const example = startNode(["--import", "tsx", "examples/strings/main.ts"]);
    expect(await example.exited).toBe(0);
    expect(example.output()).toContain("8 words\nthe 3, and 2\n");
    expect(example.output()).toMatch(/300 calls, shared (200 to 100|201 to 99|199 to 101)/);
  });
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
