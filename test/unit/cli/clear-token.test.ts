import { describe, expect, it } from "vitest";
import { warnOfClearToken } from "../../../src/cli/clear-token.js";
import { createTerminal } from "../../../src/cli/terminal.js";
import type { Instance } from "../../../src/core/instance.js";
import { recordedWorld } from "../../support/cli-world.js";

function warnings(token: string | undefined, hosts: readonly string[], flags: object): string {
  const world = recordedWorld();
  const terminal = createTerminal({ ...world, json: false });
  const instances = hosts.map((host) => ({ host, key: `${host}:1` }) as Instance);
  warnOfClearToken(token, instances, flags, { terminal });
  return world.said.stderr;
}

describe("warnOfClearToken", () => {
  it("names who gets a token without TLS, but for this machine", () => {
    expect(warnings("secret", ["127.0.0.1", "10.0.0.1", "10.0.0.2"], {})).toBe(
      "warning: the token goes to 10.0.0.1:1 and 1 more without TLS, for all on the way to read\n",
    );
    expect(warnings("secret", ["10.0.0.1"], {})).toContain("to 10.0.0.1:1 without TLS");
  });

  it.each([
    ["there is no token", undefined, ["10.0.0.1"], {}],
    ["it stays on this machine", "secret", ["127.0.0.1", "localhost", "::1"], {}],
    ["there is TLS", "secret", ["10.0.0.1"], { tls: true }],
    ["flags imply TLS", "secret", ["10.0.0.1"], { serverName: "n" }],
  ])("says nothing when %s", (_what, token, hosts, flags) => {
    expect(warnings(token, hosts, flags)).toBe("");
  });
});
