import { describe, expect, it } from "vitest";
import { browserNote, launchChromium, withoutBrowser } from "../support/chromium.js";
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

describe("examples/sentiment", () => {
  /** The service and its page, and where they are. */
  async function serve() {
    const example = startNode([
      ...["--import", "tsx", "examples/sentiment/serve.ts"],
      ...["127.0.0.1:0", "0"],
    ]);
    await example.said("the page at");
    const said = /the service is at (\S+), the page at (\S+)/.exec(example.output());
    return { example, target: said?.[1] ?? "", page: said?.[2] ?? "" };
  }

  it("serves a client, which puts the best text first, and stops on Ctrl+C", async () => {
    const { example, target } = await serve();
    const texts = ["An awful, terrible film.", "A film.", "A wonderful film!"];
    const client = startNode(["--import", "tsx", "examples/sentiment/client.ts", target, ...texts]);
    expect(await client.exited).toBe(0);
    expect(client.output().trimEnd().split("\n")).toEqual([
      " 4.00  A wonderful film!",
      " 0.00  A film.",
      "-3.00  An awful, terrible film.",
    ]);
    const refused = startNode(["--import", "tsx", "examples/sentiment/client.ts", target, "..."]);
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toContain("the text has no word");
    example.child.kill("SIGINT");
    expect(await example.exited).toBe(0);
  }, 60_000);

  it.skipIf(withoutBrowser)(
    `has a page that says how a text sounds while it is typed${browserNote}`,
    async () => {
      const { page: url } = await serve();
      await using browser = await launchChromium();
      const page = await browser.newPage();
      const errors: unknown[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error));
      await page.goto(url);
      const answer = page.locator("output");
      await page.locator("textarea").pressSequentially("A fine day, but a terrible trip");
      await answer.filter({ hasText: "🙁 -0.50 (fine 2, terrible -3)" }).waitFor();
      await page.locator("textarea").fill("...");
      await answer.filter({ hasText: "the text has no word" }).waitFor();
      expect(errors).toEqual([]);
    },
    60_000,
  );
});

describe("examples/chat", () => {
  it("prints words as they come, and stops its processor when it cancels or runs out of time", async () => {
    const example = startNode(["--import", "tsx", "examples/chat/main.ts"]);
    expect(await example.exited).toBe(0);
    const output = example.output();
    const [whole = "", half = ""] = output.split("\n\n");
    expect([whole, half].map((text) => text.split(" ").length)).toEqual([43, 23]);
    const made = /cancelled after 20 of 40 words; the processor stopped after (\d+)/.exec(output);
    expect(Number(made?.[1])).toBeLessThan(40);
    expect(output).toContain("no prompt: INVALID_ARGUMENT");
    expect(output).toContain("too slow: DEADLINE_EXCEEDED");
    const late = /the processor stopped after (\d+) of 40 words/.exec(output);
    expect(Number(late?.[1])).toBeLessThan(40);
  }, 30_000);
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
