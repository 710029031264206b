import { expect, it } from "vitest";
import { runCli, scratchFolder, servedPort, startCli } from "../support/cli.js";
import { runCliInside } from "../support/cli-inside.js";
import { createDirectoryClient } from "../support/directory-client.js";
import { freePort } from "../support/free-port.js";
import { programUrl } from "../support/programs.js";
import { http } from "../support/raw-http.js";
import { until } from "../support/until.js";

const scratch = scratchFolder();

it("runs a directory, with which a host that is served registers", async () => {
  const directory = startCli(["directory", "--endpoint", "127.0.0.1:0"]);
  await directory.said("directory at");
  const port = servedPort(directory);
  const module = new URL(programUrl("serve-class.mjs")).pathname;
  const flags = ["--endpoint", "127.0.0.1:0", "--service", "told"];
  const host = startCli(["serve", module, ...flags, "--directory", `127.0.0.1:${port}`]);
  await host.said("registered");
  const path = "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/told";
  await until(async () => (await http(port, path)).text.includes(`${servedPort(host)}`));
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
  directory.child.kill("SIGTERM");
  expect(await directory.exited).toBe(0);
});

it("stops at a signal while it waits for its store", async () => {
  const store = `etcd://127.0.0.1:${await freePort()}/x`;
  const directory = startCli(["directory", "--endpoint", "127.0.0.1:0", "--store", store]);
  await directory.said("etcd does not answer");
  directory.child.kill("SIGTERM");
  expect(await directory.exited).toBe(0);
  expect(directory.output()).not.toContain("could not be read");
});

it("takes its options from variables, and flags before them", async () => {
  const env = {
    INFERWIRE_ENDPOINT: "127.0.0.1:0",
    INFERWIRE_TOKEN: "w",
    INFERWIRE_READ_TOKEN: "v",
  };
  const directory = startCli(["directory", "--read-token", "r"], env);
  await directory.said("directory at");
  const path = "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/told";
  const statuses = ["r", "w", "v"].map(async (token) => {
    const { status } = await http(servedPort(directory), path, {
      headers: { authorization: token },
    });
    return status;
  });
  const [read, write, other] = await Promise.all(statuses);
  expect([read === 401, write === 401, other]).toEqual([false, false, 401]);
  directory.child.kill("SIGTERM");
  expect(await directory.exited).toBe(0);
});

it("refuses variables and a store that it does not know, and tokens that make no sense", async () => {
  const cases: readonly [string[], Record<string, string>, string][] = [
    [["--store", "redis://a:1/x"], {}, "store is"],
    [["--store-tls-ca-file", "no-such-file"], {}, "--store-tls-ca-file names"],
    [[], { INFERWIRE_STORE_TLS_KEY_FILE: "none" }, "INFERWIRE_STORE_TLS_KEY_FILE names"],
    [["--read-token", "r"], {}, "readToken is set and token is not"],
    [[], { INFERWIRE_REDUCE_WEIGHTS: "perhaps" }, "INFERWIRE_REDUCE_WEIGHTS"],
    [[], { INFERWIRE_REED_TOKEN: "x" }, "INFERWIRE_READ_TOKEN"],
  ];
  for (const [flags, env, text] of cases) {
    const { code, stderr } = await runCliInside(["directory", ...flags], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  }
});

it("knows after a restart what it kept in a file, weights set by its own commands among it", async () => {
  const store = `file:${scratch.path("directory.journal")}`;
  const flags = ["directory", "--endpoint", "127.0.0.1:0", "--store", store];
  const first = startCli(flags);
  await first.said(`store ${store}`);
  const client = createDirectoryClient(servedPort(first));
  await client.register("one", { ttlMs: 60_000 });
  client.close();
  const at = ["--directory", `127.0.0.1:${servedPort(first)}`];
  const weight = await runCli(["directory", "weight", "mnist", "one", "7", ...at]);
  expect(weight.stdout).toContain("weight of one of mnist: 100 -> 7");
  first.child.kill("SIGKILL");
  await first.exited;
  const second = startCli(flags);
  await second.said("directory at");
  const ls = ["directory", "ls", "mnist", "--json", "--directory"];
  const { stdout } = await runCliInside([...ls, `127.0.0.1:${servedPort(second)}`]);
  expect(JSON.parse(stdout)).toMatchObject({
    instances: [{ name: "one", weight: 7, registeredWeight: 100 }],
  });
  second.child.kill("SIGTERM");
  expect(await second.exited).toBe(0);
});
