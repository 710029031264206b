import { ServerError, Status } from "nice-grpc";
import { describe, expect, it } from "vitest";
import { runCliInside } from "../support/cli-inside.js";
import { startTestDirectory } from "../support/directories.js";
import { startStrangeDirectory } from "../support/strange-directory.js";

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("inferwire directory ls", () => {
  it("lists services with instances, weights, and the traffic of members", async () => {
    const { port, directory } = await startTestDirectory();
    const at = ["--directory", `127.0.0.1:${port}`];
    expect((await runCliInside(["directory", "ls", ...at])).stdout).toBe(
      `directory 127.0.0.1:${port}: 0 services\n`,
    );
    await directory.register("one", { service: "solo" });
    await directory.register("two", { service: "solo", port: 81, weight: 0 });
    await directory.register("a", { service: "mnist.v1", port: 82 });
    await directory.register("b", { service: "mnist.v2", port: 83, weight: 50 });
    await directory.client.setTraffic({
      group: "mnist",
      shares: new Map([
        ["v1", 3],
        ["v2", 1],
        ["v3", 4],
      ]),
    });
    const people = await runCliInside(["directory", "ls", ...at]);
    expect(people).toEqual({
      code: 0,
      stderr: "",
      stdout: [
        `directory 127.0.0.1:${port}: 4 services`,
        "SERVICE   INSTANCES  WEIGHT  TRAFFIC",
        "mnist.v1  1/1        100     75 %",
        "mnist.v2  1/1        50      25 %",
        "mnist.v3  0/0        0       0 %",
        "solo      1/2        100",
        "",
      ].join("\n"),
    });
    const { stdout } = await runCliInside(["directory", "ls", ...at, "--json"]);
    expect(lines(stdout)).toMatchObject([
      { service: "mnist.v1", sharePercent: 37.5, trafficPercent: 75, withWeight: 1, listed: 1 },
      { service: "mnist.v2", sharePercent: 12.5, trafficPercent: 25 },
      { service: "mnist.v3", sharePercent: 50, trafficPercent: 0, version: null, instances: [] },
      {
        directory: `127.0.0.1:${port}`,
        service: "solo",
        sharePercent: null,
        stale: false,
        weight: 100,
        instances: [{ name: "one" }, { name: "two" }],
      },
    ]);
  });

  it("lists the instances of a service, with weights in force and registered ones", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("ten");
    await directory.register("nine", { port: 81, weight: 300 });
    await directory.client.setWeight({ service: "mnist", instance: "ten", weight: 0 });
    const env = { INFERWIRE_DIRECTORY: `127.0.0.1:1,127.0.0.1:${port}` };
    const people = await runCliInside(["directory", "ls", "mnist"], { env });
    expect(people.stdout.split("\n").slice(1)).toEqual([
      "NAME  ADDRESS      WEIGHT              SHARE  APP",
      "nine  10.0.0.1:81  300                 100 %  mnist",
      "ten   10.0.0.1:80  0 (registered 100)  0 %    mnist",
      "",
    ]);
    expect(people.stdout).toMatch(
      new RegExp(
        `^mnist at directory 127.0.0.1:${port}: 2 instances, 1 with weight \\(version \\S+\\)\n`,
      ),
    );
    const { stdout } = await runCliInside(["directory", "ls", "mnist", "--json"], { env });
    expect(lines(stdout)).toMatchObject([
      {
        service: "mnist",
        instances: [
          { name: "nine", weight: 300, registeredWeight: 300, sharePercent: 100 },
          { name: "ten", address: "10.0.0.1:80", weight: 0, registeredWeight: 100 },
        ],
      },
    ]);
  });

  it("lists the members of a group, shared out or not yet", async () => {
    const { port, directory } = await startTestDirectory();
    const ls = ["directory", "ls", "mnist", "--directory", `127.0.0.1:${port}`];
    await directory.register("a", { service: "mnist.v1" });
    const before = await runCliInside(ls);
    expect(before.stdout.split("\n")).toEqual([
      expect.stringMatching(
        /\(no traffic is shared out yet\); to begin: inferwire directory release mnist --to v1 --percent 100$/,
      ),
      "MEMBER  SHARE  TRAFFIC  INSTANCES",
      "v1      none   -        1/1",
      "",
    ]);
    const all = await runCliInside(["directory", "ls", "--directory", `127.0.0.1:${port}`]);
    expect(all.stdout).toMatch(/mnist.v1 {2}1\/1 +100 +-\n$/);
    await directory.register("b", { service: "mnist.v2", port: 81 });
    await directory.client.setTraffic({ group: "mnist", shares: new Map([["v1", 1]]) });
    expect((await runCliInside(ls)).stdout.split("\n").slice(1)).toEqual([
      "MEMBER  SHARE  TRAFFIC  INSTANCES",
      "v1      100 %  100 %    1/1",
      "v2      none   0 %      1/1",
      "",
      "NAME  ADDRESS      WEIGHT  SHARE  APP",
      "a     10.0.0.1:80  100     100 %  mnist.v1",
      "",
    ]);
    const { stdout } = await runCliInside([...ls, "--json"]);
    expect(lines(stdout)).toMatchObject([
      {
        group: "mnist",
        instances: [{ name: "a" }],
        members: [
          { member: "v1", service: "mnist.v1", sharePercent: 100, instances: [{ name: "a" }] },
          { member: "v2", sharePercent: null, trafficPercent: 0 },
        ],
      },
    ]);
  });

  it("names the nearest service, and every directory that is away", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("one");
    const at = `127.0.0.1:${port}`;
    const unknown = await runCliInside(["directory", "ls", "mnits", "--directory", at]);
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toContain('did you mean "mnist"?');
    const away = ["directory", "ls", "--directory", "127.0.0.1:1,127.0.0.1:2"];
    const { code, stderr } = await runCliInside([...away, "--json"]);
    expect(code).toBe(3);
    expect(JSON.parse(stderr).error).toMatchObject({ reason: "DIRECTORY_FAILED" });
    expect(stderr).toMatch(/no directory answers: 127\.0\.0\.1:1: .*; 127\.0\.0\.1:2: /);
    for (const [list, text] of [
      ["nowhere", "--directory is"],
      ["a:1,b:1,a:1", "--directory lists a:1 twice"],
    ] as const) {
      const wrong = await runCliInside(["directory", "ls", "--directory", list]);
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining(text)]);
    }
  });

  it("shows the directory's token, or its read token, from flag or variable", async () => {
    const { port } = await startTestDirectory({ token: "w", readToken: "r" });
    const ls = ["directory", "ls", "--directory", `127.0.0.1:${port}`];
    const env = { INFERWIRE_DIRECTORY_TOKEN: "r", INFERWIRE_TOKEN: "a host's" };
    expect((await runCliInside(ls, { env })).code).toBe(0);
    expect((await runCliInside([...ls, "--token", "w"])).code).toBe(0);
    const { code, stderr } = await runCliInside(ls);
    expect([code, stderr]).toEqual([3, expect.stringContaining("(DIRECTORY_FAILED: ")]);
    expect(stderr).toContain(
      "does not name the directory's readToken or token; give --token, or set INFERWIRE_DIRECTORY_TOKEN (",
    );
    const target = `directory://127.0.0.1:${port}/mnist`;
    expect((await runCliInside(["resolve", target])).code).toBe(3);
  });

  it("names what is no directory, and a store that fails in every directory", async () => {
    const none = await startStrangeDirectory({});
    const ls = await runCliInside(["directory", "ls", "--directory", `127.0.0.1:${none}`]);
    expect([ls.code, ls.stderr]).toEqual([
      3,
      expect.stringContaining(`127.0.0.1:${none} is no directory of the kit: it knows no List`),
    ]);
    const full = () =>
      startStrangeDirectory({
        listUpstreams: async () => ({ version: "1", instances: [] }),
        setWeight: async (_request, { trailer }) => {
          trailer.set("inferwire-reason", "STORE_FAILED");
          const said = "the disk is full; try again; check the store's disk or etcd";
          throw new ServerError(Status.UNAVAILABLE, said);
        },
      });
    const both = `127.0.0.1:${await full()},127.0.0.1:${await full()}`;
    const weight = ["directory", "weight", "mnist", "one", "1", "--directory"];
    const failed = await runCliInside([...weight, both]);
    expect([failed.code, failed.stderr]).toEqual([
      6,
      expect.stringMatching(
        /^error: no directory's store works: .*: the disk is full \(STORE_FAILED: /,
      ),
    ]);
    const half = await runCliInside([...weight, `${both},127.0.0.1:1`]);
    expect([half.code, half.stderr]).toEqual([3, expect.stringContaining("DIRECTORY_FAILED")]);
  });

  it("escapes what a directory says, and leaves out what makes no sense", async () => {
    const port = await startStrangeDirectory({
      listServices: async () => ({
        services: ["mnist", "\u001b[2Jnot a name", "x".repeat(300)],
      }),
      listUpstreams: async () => ({
        version: "\u001b]0;title\u0007",
        stale: true,
        instances: [
          { name: "one", ip: "10.0.0.1", port: 80, weight: 1, app: "a\nforged\u001b[31m" },
          { name: "\u001b[2J", ip: "10.0.0.2", port: 80, weight: 1, app: "" },
          { name: "two", ip: "not an address", port: 80, weight: 1, app: "" },
        ],
        shares: new Map([["\u001b[2J", 5]]),
      }),
    });
    const at = ["--directory", `127.0.0.1:${port}`];
    const all = await runCliInside(["directory", "ls", ...at]);
    expect(all.stdout).toContain("1 service (stale: the directory cannot reach");
    const one = await runCliInside(["directory", "ls", "mnist", ...at]);
    expect(one.code).toBe(0);
    expect(one.stdout).toContain("a\\u000aforged\\u001b[31m");
    expect(one.stdout).toContain("version \\u001b]0;title\\u0007");
    expect(one.stdout).toContain("1 items that made no sense left out");
    expect(one.stdout).toContain("10.0.0.2:80  10.0.0.2:80  1");
    expect(one.stdout).not.toContain("\u001b");
  });
});

describe("inferwire directory weight", () => {
  it("says the old and the new weight, by name or address, and how many others have one", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("one");
    await directory.register("two", { port: 81 });
    const weight = (...args: string[]) =>
      runCliInside(["directory", "weight", "mnist", ...args, "--directory", `127.0.0.1:${port}`]);
    const at = `at directory 127.0.0.1:${port}`;
    expect((await weight("one", "50.5")).stdout).toBe(
      `weight of one of mnist: 100 -> 50.5, ${at}\n`,
    );
    expect((await weight("10.0.0.1:80", "0")).stdout).toBe(
      `weight of one (10.0.0.1:80) of mnist: 50.5 -> 0, ${at}; 1 other has a weight\n`,
    );
    expect((await weight("one", "registered")).stdout).toBe(
      `weight of one of mnist: 0 -> 100 as registered, ${at}\n`,
    );
    const { stdout } = await weight("two", "7", "--json");
    expect(JSON.parse(stdout)).toEqual({
      directory: `127.0.0.1:${port}`,
      service: "mnist",
      instance: "two",
      address: "10.0.0.1:81",
      before: 100,
      weight: 7,
      registeredWeight: 100,
      registered: true,
      others: 1,
      nearest: null,
      version: expect.any(String),
    });
  });

  it("refuses to take the last one out of the traffic, unless forced", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("one");
    await directory.register("idle", { port: 81, weight: 0 });
    const zero = ["directory", "weight", "mnist", "one", "0", "--directory", `127.0.0.1:${port}`];
    const refused = await runCliInside(zero);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--force")]);
    const { instances } = await directory.client.listUpstreams({ service: "mnist" });
    expect(instances).toMatchObject([{ weight: 100 }, { weight: 0 }]);
    const forced = await runCliInside([...zero, "--force"]);
    expect(forced.stdout).toContain("100 -> 0");
    expect(forced.stdout).toContain("no instance with a weight is left");
  });

  it("sets the weight of one that is not registered ahead, and names the nearest that is", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("gpu-1");
    const at = ["--directory", `127.0.0.1:${port}`];
    const { code, stdout } = await runCliInside([
      "directory",
      "weight",
      "mnist",
      "gpu-2",
      "5",
      ...at,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("gpu-2 of mnist has weight 5 from now on");
    expect(stdout).toContain('registered now; did you mean "gpu-1"?');
    await directory.register("gpu-2", { port: 81 });
    const { instances } = await directory.client.listUpstreams({ service: "mnist" });
    expect(instances.find(({ name }) => name === "gpu-2")?.weight).toBe(5);
  });

  it("fails with 4 when another directory that is named has another store, as a release does", async () => {
    const a = await startTestDirectory();
    const b = await startTestDirectory();
    for (const { directory } of [a, b]) {
      await directory.register("one", { service: "solo" });
      await directory.register("two", { service: "mnist.v1", port: 81 });
      await directory.register("three", { service: "mnist.v2", port: 82 });
    }
    const named = ["--directory", `127.0.0.1:${a.port},127.0.0.1:${b.port},127.0.0.1:1`];
    const run = (args: string) => runCliInside(["directory", ...args.split(" "), ...named]);
    const [weight, release] = await Promise.all([
      run("weight solo one 0 --force"),
      run("release mnist --to v2 --percent 100 --over 1m --step 50"),
    ]);
    const other = `does not show at 127.0.0.1:${b.port}, which has another store: set it there too`;
    expect(weight.stdout).toContain("100 -> 0");
    expect([weight.code, weight.stderr]).toEqual([4, expect.stringContaining(other)]);
    expect(weight.stderr).toContain("at directory 127.0.0.1:1 is not known");
    expect(release.stdout.split("\n")).toHaveLength(2);
    expect([release.code, release.stderr]).toEqual([4, expect.stringContaining(other)]);
    expect(release.stderr).toContain("mnist stands at v1 50 %, v2 50 %; to go back: inferwire");
    const ahead = await run("weight solo later 5");
    expect([ahead.code, ahead.stderr]).toEqual([0, expect.stringContaining("shows only when")]);
  });

  it("fails with 4 when the directory goes on showing another weight", async () => {
    const port = await startStrangeDirectory({
      setWeight: async () => ({ registered: true, version: "1" }),
      listUpstreams: async () => ({
        version: "1",
        instances: [{ name: "one", ip: "10.0.0.1", port: 80, weight: 40, app: "" }],
      }),
    });
    const args = ["directory", "weight", "mnist", "one", "42", "--directory", `127.0.0.1:${port}`];
    const { code, stdout, stderr } = await runCliInside(args);
    const said = `directory 127.0.0.1:${port}, which still shows 40`;
    expect([code, stdout]).toEqual([4, `weight of one of mnist set to 42, at ${said}\n`]);
    expect(stderr).toContain("still shows 40: look");
  });

  it.each([
    [["mnist", "one", "-1"], "WEIGHT is -1, expected 0 to 1000000"],
    [["mnist", "one", "much"], 'WEIGHT is "much", expected a number'],
    [["no/service", "one", "1"], "SERVICE is"],
    [["group", "one", "1"], "group.v1"],
  ])("refuses %j", async (args, text) => {
    const { port, directory } = await startTestDirectory();
    await directory.client.setTraffic({ group: "group", shares: new Map([["v1", 1]]) });
    const at = ["--directory", `127.0.0.1:${port}`];
    // Behind "--" a negative number is no flag.
    const { code, stderr } = await runCliInside(["directory", "weight", ...at, "--", ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});
