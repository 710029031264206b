import { startDirectory } from "inferwire/directory";
import { createServer, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import { afterEach, describe, expect, it } from "vitest";
import {
  HealthCheckResponse_ServingStatus,
  HealthDefinition,
} from "../../gen/grpc/health/v1/health.js";
import { runCli, startCli } from "../support/cli.js";
import { runCliInside } from "../support/cli-inside.js";
import { startTestDirectory } from "../support/directories.js";
import { createDirectoryClient } from "../support/directory-client.js";
import { startTestHost } from "../support/hosts.js";
import { recordingLogger } from "../support/recording-logger.js";
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
      /: 2 instances \(version 1, fresh, confirmed \d+\.\d s ago\)\nNAME +ADDRESS +WEIGHT +SHARE +APP\n/,
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

  it("asks instances with a weight for their health", async () => {
    const host = await startTestHost();
    const { port: withoutHealth } = await startTestDirectory();
    const strange = await startHealth(async () => ({
      status: HealthCheckResponse_ServingStatus.NOT_SERVING,
    }));
    const refusing = await startHealth(async () => {
      throw new ServerError(Status.PERMISSION_DENIED, "no\u001b[2J");
    });
    const nameless = await startHealth(async () => {
      throw new ServerError(Status.NOT_FOUND, "");
    });
    const ports = [host.port, withoutHealth, strange, refusing, nameless, 1, 2];
    const addresses = ports.map((port) => `127.0.0.1:${port}`).join(",");
    const target = `static:///${addresses}?weight=1,1,1,1,1,1,0`;
    const { code, stdout } = await runCliInside(["resolve", target, "--health", "--json"]);
    expect(code).toBe(0);
    const ms = expect.any(Number);
    const [list] = lines(stdout);
    const instances = list?.["instances"] as { readonly health: unknown }[];
    expect(instances.map(({ health }) => health)).toEqual([
      { status: "serving", ms },
      { status: "no health service", ms },
      { status: "not serving", ms },
      { status: "refused", why: expect.stringContaining("PERMISSION_DENIED: no"), ms },
      { status: "unknown service", ms },
      { status: "unreachable", why: expect.stringContaining("ECONNREFUSED"), ms },
      null,
    ]);
    const people = await runCliInside(["resolve", target, "--health"]);
    expect(people.stdout).toMatch(/SHARE +APP +HEALTH\n/);
    expect(people.stdout).toMatch(/ serving \(\d+ ms\)\n/);
    expect(people.stdout).toContain("PERMISSION_DENIED: no [2J (");
    expect(people.stdout).not.toContain("\u001b");
    expect(people.stdout).toMatch(/ 0 +0 % +not asked\n1 of 6 serving\n$/);
  });

  it("exits with 4 when none serves", async () => {
    const { code, stdout } = await runCliInside(["resolve", "127.0.0.1:1", "--health"]);
    expect(code).toBe(4);
    expect(stdout).toContain("0 of 1 serving");
    expect((await runCliInside(["resolve", "127.0.0.1:1", "--all"])).code).toBe(2);
  });

  it("asks 200 instances and no more, unless for all", async () => {
    const addresses = Array.from({ length: 201 }, (_, at) => `127.0.0.1:${at + 1}`).join(",");
    const some = await runCliInside(["resolve", addresses, "--health"]);
    expect(some.stdout).toContain("0 of 200 serving; 1 more were not asked: --all");
    const all = await runCliInside(["resolve", addresses, "--health", "--all"]);
    expect(all.stdout).toContain("0 of 201 serving\n");
  });

  it("asks for health again after every change", async () => {
    const { port, directory } = await startTestDirectory();
    const host = await startTestHost();
    const stop = new AbortController();
    let said = "";
    const watch = runCliInside(
      ["resolve", `directory://127.0.0.1:${port}/mnist`, "--watch", "--health", "--json"],
      {
        signal: stop.signal,
        heard: (text) => {
          said += text;
        },
      },
    );
    const rounds = () =>
      lines(said.slice(0, said.lastIndexOf("\n") + 1)).filter(({ change }) => change === "health");
    const instance = { name: "one", ip: "127.0.0.1", port: host.port, weight: 1 };
    const ttl = { seconds: 10n, nanos: 0 };
    await directory.client.register({ service: "mnist", instance, ttl });
    await until(() => rounds().length === 1);
    const dead = { name: "two", ip: "127.0.0.1", port: 1, weight: 1 };
    await directory.client.register({ service: "mnist", instance: dead, ttl });
    await until(() => rounds().length === 2);
    stop.abort();
    expect((await watch).code).toBe(0);
    expect(rounds()).toMatchObject([
      { serving: 1, instances: [{ name: "one", health: { status: "serving" } }] },
      { serving: 1, instances: [{ name: "one" }, { health: { status: "unreachable" } }] },
    ]);
  });

  it("says since when a list is stale and why, and that it is fresh again", async () => {
    const quiet = { logger: recordingLogger().logger };
    const first = await startDirectory({ endpoint: "127.0.0.1:0", ...quiet });
    const { port } = first.address;
    const client = createDirectoryClient(port);
    await client.register("one");
    const stop = new AbortController();
    let said = "";
    const watch = runCliInside(["resolve", `directory://127.0.0.1:${port}/mnist`, "--watch"], {
      signal: stop.signal,
      heard: (text) => {
        said += text;
      },
    });
    await until(() => said.includes("(version 1, fresh, confirmed"));
    await first.close();
    await until(() => /Z stale since \S+Z, confirmed \d+\.\d s ago\n/.test(said));
    const second = await startDirectory({ endpoint: `127.0.0.1:${port}`, ...quiet });
    await client.register("one");
    await until(() => /Z fresh again after \d+\.\d s\n/.test(said));
    stop.abort();
    const { stderr } = await watch;
    expect(stderr).toMatch(/DIRECTORY_FAILED\); trying on; stale since \S+Z, confirmed \d/);
    client.close();
    await second.close();
  });
});

const healthServers: (() => void)[] = [];

afterEach(() => {
  for (const close of healthServers.splice(0)) close();
});

/** Starts a server with the health service alone, and returns its port; closed after the test. */
async function startHealth(
  check: ServiceImplementation<typeof HealthDefinition>["check"],
): Promise<number> {
  const server = createServer();
  const unused = (): never => {
    throw new ServerError(Status.INTERNAL, "only check is asked for");
  };
  server.add(HealthDefinition, { check, list: unused, watch: unused });
  const port = await server.listen("127.0.0.1:0");
  healthServers.push(() => server.forceShutdown());
  return port;
}
