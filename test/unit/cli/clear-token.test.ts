import { describe, expect, it } from "vitest";
import { warnOfClearDirectoryToken } from "../../../src/cli/clear-directory-token.js";
import { warnOfClearToken } from "../../../src/cli/clear-token.js";
import { createTerminal } from "../../../src/cli/terminal.js";
import type { ChannelOptions } from "../../../src/client/client-options.js";
import type { Instance } from "../../../src/core/instance.js";
import { recordedWorld } from "../../support/cli-world.js";

function warnings(token: string | undefined, hosts: readonly string[]): string {
  const world = recordedWorld();
  const terminal = createTerminal({ ...world, json: false });
  const instances = hosts.map((host) => ({ host, key: `${host}:1` }) as Instance);
  warnOfClearToken(token, instances, { terminal });
  return world.said.stderr;
}

describe("warnOfClearToken", () => {
  it("names who gets a token without TLS, but for this machine", () => {
    expect(warnings("secret", ["127.0.0.1", "10.0.0.1", "10.0.0.2"])).toBe(
      "warning: the token goes to 10.0.0.1:1 and 1 more without TLS, for all on the way to read\n",
    );
    expect(warnings("secret", ["10.0.0.1"])).toContain("to 10.0.0.1:1 without TLS");
  });

  it.each([
    ["there is no token", undefined, ["10.0.0.1"]],
    ["it stays on this machine", "secret", ["127.0.0.1", "localhost", "::1"]],
  ])("says nothing when %s", (_what, token, hosts) => {
    expect(warnings(token, hosts)).toBe("");
  });
});

describe("warnOfClearDirectoryToken", () => {
  const said = (target: string, options: Partial<ChannelOptions> = {}): string => {
    const world = recordedWorld();
    const terminal = createTerminal({ ...world, json: false });
    warnOfClearDirectoryToken({ target, directoryToken: "secret", ...options }, { terminal });
    return world.said.stderr;
  };

  it.each([
    ["directory://10.0.0.1:8100,10.0.0.2:8100/mnist", "10.0.0.1:8100 and 1 more"],
    ["directory://127.0.0.1:8100,[fd00::1]:8100/mnist", "[fd00::1]:8100"],
    ["http://eas.example/api/v1/servicediscovery/upstreams/mnist", "eas.example"],
  ])("names who gets it for %s", (target, who) => {
    expect(said(target)).toBe(
      `warning: the directory's token goes to ${who} without TLS, for all on the way to read\n`,
    );
    expect(said(target, { directoryToken: undefined })).toBe("");
  });

  it.each([
    ["directory://localhost:8100/mnist", {}],
    ["directory://10.0.0.1:8100/mnist", { directoryTls: true }],
    ["https://eas.example/api/v1/servicediscovery/upstreams/mnist", {}],
    ["http://[::1]/api/v1/servicediscovery/upstreams/mnist", {}],
    ["etcd://10.0.0.1:2379/p/mnist", {}],
    ["10.0.0.1:80", {}],
  ])("says nothing for %s with %j", (target, options) => {
    expect(said(target, options)).toBe("");
  });
});
