import { describe, expect, it } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { runCliInside } from "../support/cli-inside.js";
import { startTestDirectory } from "../support/directories.js";
import { until } from "../support/until.js";

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("inferwire resolve", () => {
  it("lists instances with weight and share of the traffic", async () => {
    const target = "static:///10.0.0.1:80,10.0.0.2:80?weight=300,100";
    const { code, stdout } = await runCliInside(["resolve", target, "--json"]);
    expect(code).toBe(0);
    expect(lines(stdout)).toMatchObject([
      {
        service: "10.0.0.1:80,10.0.0.2:80",
        source: "static",
        version: 1,
        stale: false,
        rejected: 0,
        instances: [
          { address: "10.0.0.1:80", weight: 300, sharePercent: 75 },
          { address: "10.0.0.2:80", weight: 100, sharePercent: 25 },
        ],
      },
    ]);
    const people = await runCli(["resolve", target]);
    expect(people.stdout).toMatch(
      /: 2 instances \(version 1, confirmed \d+\.\d s ago\)\nNAME +ADDRESS +WEIGHT +SHARE +APP\n/,
    );
    expect(people.stdout).toContain("10.0.0.1:80  10.0.0.1:80  300     75 %");
  });

  it("takes a bare address, and finds by a directory's gRPC and JSON alike", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("one");
    const grpc = await runCliInside(["resolve", `directory://127.0.0.1:${port}/mnist`, "--json"]);
    const path = "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/mnist";
    const http = await runCliInside(["resolve", `http://127.0.0.1:${port}${path}`, "--json"]);
    const bare = await runCliInside(["resolve", "10.0.0.1:80", "--json"]);
    for (const { code, stdout } of [grpc, http, bare]) {
      expect(code).toBe(0);
      expect(lines(stdout)).toMatchObject([
        { instances: [{ address: "10.0.0.1:80", weight: 100 }] },
      ]);
    }
  });

  it("exits 3 when nothing is found, with where it looked", async () => {
    const { port } = await startTestDirectory();
    const target = `directory://127.0.0.1:${port}/nobody`;
    const nobody = await runCliInside(["resolve", target, "--timeout", "1000", "--json"]);
    expect(nobody.code).toBe(3);
    expect(nobody.stderr).toContain("nobody");
    const gone = await runCliInside(["resolve", "directory://127.0.0.1:1/x", "--timeout", "500"]);
    expect(gone.code).toBe(3);
    expect(gone.stderr).toContain("127.0.0.1:1");
  });

  it("exits 2 for a target that cannot be read", async () => {
    const { code, stderr } = await runCliInside(["resolve", "directory:127.0.0.1"]);
    expect(code).toBe(2);
    expect(stderr).toContain('"directory" is followed by "://"');
  });

  it("shows every change as it comes, and ends with 0 at Ctrl+C", async () => {
    const { port, directory } = await startTestDirectory();
    await directory.register("one");
    const watch = startCli(["resolve", `directory://127.0.0.1:${port}/mnist`, "--watch", "--json"]);
    await watch.said('"change":"list"');
    const { leaseId } = await directory.register("two", { port: 81, weight: 300 });
    await watch.said('"change":"added"');
    await directory.client.setWeight({ service: "mnist", instance: "two", weight: 100 });
    await watch.said('"change":"weight"');
    await directory.client.deregister({ leaseId });
    await watch.said('"change":"removed"');
    watch.child.kill("SIGINT");
    expect(await watch.exited).toBe(0);
    expect(lines(watch.output())).toMatchObject([
      { change: "list", instances: [{ name: "one", sharePercent: 100 }] },
      { change: "added", instance: { name: "two", weight: 300, sharePercent: 75 } },
      { change: "weight", before: 300, instance: { name: "two", weight: 100, sharePercent: 50 } },
      { change: "removed", instance: { name: "two" } },
    ]);
  });

  it("goes on watching while the source fails, and says so once", async () => {
    const watch = startCli(["resolve", "directory://127.0.0.1:1/mnist", "--watch"]);
    await watch.said("trying on");
    expect(watch.output()).toContain("127.0.0.1:1");
    expect(watch.child.exitCode).toBeNull();
    watch.child.kill("SIGTERM");
    await until(() => watch.child.exitCode !== null);
    expect(watch.child.exitCode).toBe(0);
  });
});
