import { describe, expect, it } from "vitest";
import { type InsideOptions, runCliInside } from "../support/cli-inside.js";
import { startTestDirectory } from "../support/directories.js";
import type { DirectoryClient } from "../support/directory-client.js";
import { until } from "../support/until.js";

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** A directory with mnist.v1 and mnist.v2, one instance each, and what runs a release of mnist there. */
async function startGroup(shares: Record<string, number> = { v1: 100, v2: 0 }) {
  const { port, directory } = await startTestDirectory();
  await directory.register("a", { service: "mnist.v1" });
  const { leaseId } = await directory.register("b", { service: "mnist.v2", port: 81 });
  if (Object.keys(shares).length > 0) await setShares(directory, shares);
  const at = `127.0.0.1:${port}`;
  return {
    at,
    directory,
    leaseId,
    release: (args: string, options: InsideOptions = {}) =>
      runCliInside(
        ["directory", "release", "mnist", ...args.split(" "), "--directory", at],
        options,
      ),
  };
}

async function setShares({ client }: DirectoryClient, shares: Record<string, number>) {
  await client.setTraffic({ group: "mnist", shares: new Map(Object.entries(shares)) });
}

async function sharesAt({ client }: DirectoryClient): Promise<Record<string, number>> {
  const { shares } = await client.listUpstreams({ service: "mnist" });
  return Object.fromEntries(shares);
}

describe("inferwire directory release", () => {
  it("moves the share of a member at once, and reads it back", async () => {
    const { release, directory, at } = await startGroup();
    const { code, stdout, stderr } = await release("--to v2 --percent 12.5");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\S+Z v1 87.5 % \(1 instance\), v2 12.5 % \(1 instance\)\n$/);
    expect(stderr).toBe(`mnist at directory ${at}: v2 from 0 % to 12.5 %, at once\n`);
    expect(await sharesAt(directory)).toEqual({ v1: 87.5, v2: 12.5 });
    const { instances } = await directory.client.listUpstreams({ service: "mnist" });
    expect(instances.map(({ name, weight }) => [name, weight])).toEqual([
      ["a", 87.5],
      ["b", 12.5],
    ]);
    const again = await release("--to mnist.v2 --percent 12.5");
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("so already")]);
  });

  it("moves it step by step, a line of JSON each, and tells who is drained", async () => {
    const { release, directory } = await startGroup({ v1: 3, v2: 1 });
    const seen: unknown[] = [];
    const watching = watchShares(directory, seen);
    const slow = await release("--to v2 --percent 100 --over 300ms --step 25 --json");
    await until(() => seen.length === 4);
    await watching.stop();
    expect(slow.code).toBe(0);
    expect(lines(slow.stdout)).toMatchObject(
      [50, 75, 100].map((percent, index) => ({
        group: "mnist",
        step: index + 1,
        steps: 3,
        shares: [
          { member: "v1", service: "mnist.v1", percent: 100 - percent, withWeight: 1, listed: 1 },
          { member: "v2", percent },
        ],
      })),
    );
    expect(await sharesAt(directory)).toEqual({ v1: 0, v2: 100 });
    expect(seen).toEqual(["3 1", "50 50", "25 75", "0 100"]);
    const back = await release("--to v1 --percent 100");
    expect(back.stderr).toContain("v2 gets no new calls");
  });

  it("shares a group out for the first time, and says who gets the rest", async () => {
    const { release, directory } = await startGroup({});
    const { code, stderr } = await release("--to v2 --percent 10");
    expect(code).toBe(0);
    expect(stderr).toContain("shared out for the first time");
    expect(stderr).toContain("the rest goes to v1");
    expect(await sharesAt(directory)).toEqual({ v1: 90, v2: 10 });
  });

  it("keeps the proportions of the others", async () => {
    const { release, directory } = await startGroup({ v1: 20, v2: 0, v0: 60 });
    const { stderr } = await release("--to v2 --percent 20");
    expect(await sharesAt(directory)).toEqual({ v0: 60, v1: 20, v2: 20 });
    expect(stderr).toContain("v0 has no instance with a weight: its share goes to the others");
  });

  it.each([
    ["a member without an instance", "--to v3 --percent 5", 3, 'did you mean "v0"?'],
    ["a split that nobody would answer", "--to v2 --percent 0", 3, "would get traffic"],
    ["a percentage above 100", "--to v2 --percent 101", 2, "--percent is 101"],
    ["a member of another group", "--to other.v2 --percent 1", 2, "a member of mnist"],
    ["a time without its unit", "--to v2 --percent 1 --over 30", 2, "such as 500ms, 30s"],
    ["a step without a time", "--to v2 --percent 1 --step 5", 2, "without --over"],
  ])("refuses %s, and changes nothing", async (_what, args, exit, text) => {
    const { release, directory } = await startGroup({ v0: 1, v2: 99 });
    const { code, stderr } = await release(args);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(text)]);
    expect(await sharesAt(directory)).toEqual({ v0: 1, v2: 99 });
  });

  it("does what it refuses when it is forced", async () => {
    const { release, directory } = await startGroup();
    expect((await release("--to v3 --percent 5 --force")).code).toBe(0);
    expect(await sharesAt(directory)).toEqual({ v1: 95, v2: 0, v3: 5 });
  });

  it("says how groups are named to one who has a service, or none", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("a");
    const run = (group: string) =>
      runCliInside(
        ["directory", "release", group, "--to", "v2", "--percent", "1"].concat([
          "--directory",
          `127.0.0.1:${port}`,
        ]),
      );
    const service = await run("mnist");
    expect([service.code, service.stderr]).toEqual([
      2,
      expect.stringMatching(/instances of its own, not a group.*mnist\.v1 and mnist\.v2/),
    ]);
    const nobody = await run("other");
    expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining("other.NAME")]);
    const member = await run("mnist.v2");
    expect([member.code, member.stderr]).toEqual([2, expect.stringContaining("the group: mnist")]);
  });

  it("stops between steps at Ctrl+C, and says where the shares stand and how to go back", async () => {
    const { release, directory, at } = await startGroup();
    const stop = new AbortController();
    const { code, stdout, stderr } = await release("--to v2 --percent 100 --over 1h --step 40", {
      signal: stop.signal,
      heard: () => stop.abort(),
    });
    expect(code).toBe(4);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toContain("stopped between two steps");
    expect(stderr).toContain(
      `mnist stands at v1 66.7 %, v2 33.3 %; to go back: inferwire directory release mnist --to v2 --percent 0 --directory ${at}\n`,
    );
    expect((await sharesAt(directory))["v2"]).toBeCloseTo(33.3333, 3);
  });

  it("stops when somebody else changes the shares, and leaves theirs", async () => {
    const { release, directory } = await startGroup();
    const others: Promise<void>[] = [];
    const { code, stderr } = await release("--to v2 --percent 100 --over 500ms --step 50 --json", {
      heard: () => {
        others.push(setShares(directory, { v1: 1, v2: 1, v3: 1 }));
      },
    });
    expect(code).toBe(4);
    const [stands, error] = lines(stderr).slice(-2);
    expect(stands).toEqual({ group: "mnist", stands: { v1: 1, v2: 1, v3: 1 }, back: null });
    expect(error).toMatchObject({
      error: { code: "ABORTED", message: expect.stringContaining("somebody else has changed") },
    });
    expect(await sharesAt(directory)).toEqual({ v1: 1, v2: 1, v3: 1 });
  });

  it("stops when the member loses its last instance", async () => {
    const { release, directory, leaseId } = await startGroup();
    const gone: Promise<unknown>[] = [];
    const { code, stderr } = await release("--to v2 --percent 100 --over 500ms --step 50", {
      heard: () => {
        gone.push(directory.client.deregister({ leaseId }));
      },
    });
    expect(code).toBe(3);
    expect(stderr).toContain("mnist.v2 has lost its last listed instance");
    expect(stderr).toContain("mnist stands at v1 50 %, v2 50 %; to go back: ");
    expect(await sharesAt(directory)).toEqual({ v1: 50, v2: 50 });
  });
});

/** Notes every split that a watch of the group sees. */
function watchShares({ client }: DirectoryClient, seen: unknown[]) {
  const stop = new AbortController();
  const watching = (async () => {
    const lists = client.watchUpstreams({ service: "mnist" }, { signal: stop.signal });
    for await (const { shares } of lists) {
      const text = [...shares.values()].join(" ");
      if (seen.at(-1) !== text) seen.push(text);
    }
  })().catch(() => {});
  return {
    async stop() {
      stop.abort();
      await watching;
    },
  };
}
