import { expect, it } from "vitest";
import { servedPort, startCli } from "../support/cli.js";
import { programUrl } from "../support/programs.js";
import { http } from "../support/raw-http.js";
import { until } from "../support/until.js";

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
    [["--store", "etcd://a:1/x"], {}, "not in this version"],
    [["--read-token", "r"], {}, "readToken is set and token is not"],
    [[], { INFERWIRE_REDUCE_WEIGHTS: "perhaps" }, "INFERWIRE_REDUCE_WEIGHTS"],
    [[], { INFERWIRE_REED_TOKEN: "x" }, "INFERWIRE_READ_TOKEN"],
  ];
  for (const [flags, env, text] of cases) {
    const directory = startCli(["directory", ...flags], env);
    expect(await directory.exited).toBe(2);
    expect(directory.output()).toContain(text);
  }
});
