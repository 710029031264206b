import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type ChannelFlags, channelOptionsOf, timeoutOf } from "../../../src/cli/channel-flags.js";
import type { CliContext } from "../../../src/cli/command.js";
import { createTerminal } from "../../../src/cli/terminal.js";
import { recordedWorld } from "../../support/cli-world.js";

const folder = mkdtempSync(join(tmpdir(), "inferwire-flags-"));
for (const name of ["ca", "cert", "key"]) writeFileSync(join(folder, `${name}.pem`), `the ${name}`);
writeFileSync(join(folder, "token"), "from-file\n");

afterAll(() => rmSync(folder, { recursive: true }));

function optionsOf(flags: ChannelFlags, env: CliContext["env"] = {}) {
  const world = recordedWorld({ folder, env });
  const terminal = createTerminal({ ...world, json: false });
  return channelOptionsOf("a:1", flags, { ...world, terminal, token: "t", debug: true });
}

describe("channelOptionsOf", () => {
  it("leaves to the client's defaults what is not given", async () => {
    expect(await optionsOf({})).toEqual({ target: "a:1", token: "t" });
  });

  it("gives the time to the list as well", async () => {
    expect(await optionsOf({ timeout: "70" })).toMatchObject({
      timeoutMs: 70,
      firstListTimeoutMs: 70,
    });
  });

  it.each([
    ["--tls", { tls: true }, true],
    ["--ca", { ca: "ca.pem" }, { ca: "the ca" }],
    ["--server-name", { serverName: "n" }, { serverName: "n" }],
    ["a certificate", { cert: "cert.pem", key: "key.pem" }, { cert: "the cert", key: "the key" }],
  ])("uses TLS with %s, to directories only where that is said", async (_what, flags, tls) => {
    expect(await optionsOf(flags)).toEqual({ target: "a:1", token: "t", tls });
    const both = await optionsOf({ ...flags, directoryTls: true });
    expect(both).toMatchObject({ tls, directoryTls: tls });
  });

  it.each([
    [{ cert: "cert.pem" }, {}, "--cert and --key"],
    [{ ca: "no.pem" }, {}, "--ca names no.pem, which is unreadable"],
    [{}, { INFERWIRE_DIRECTORY_TOKEN_FILE: "no" }, "INFERWIRE_DIRECTORY_TOKEN_FILE names"],
    [
      {},
      { INFERWIRE_DIRECTORY_TOKEN_FILE: "token", INFERWIRE_DIRECTORY_TOKEN: "x" },
      "are both given",
    ],
  ])("refuses %j with %j", async (flags, env, expected) => {
    await expect(optionsOf(flags, env)).rejects.toThrow(expected);
  });

  it("takes the directory's token from the flag, else the variable, else the variable's file", async () => {
    const variable = { INFERWIRE_DIRECTORY_TOKEN: "variable" };
    const file = { INFERWIRE_DIRECTORY_TOKEN_FILE: "token" };
    const got = [
      await optionsOf({ directoryToken: "flag" }, variable),
      await optionsOf({}, variable),
      await optionsOf({}, file),
    ];
    expect(got.map(({ directoryToken }) => directoryToken)).toEqual([
      "flag",
      "variable",
      "from-file",
    ]);
  });
});

describe("timeoutOf", () => {
  it("takes whole milliseconds that a timer can wait", () => {
    expect(timeoutOf({})).toBeUndefined();
    expect(timeoutOf({ timeout: "2147483647" })).toBe(2_147_483_647);
    for (const timeout of ["soon", "0", "1.5", "2147483648", "-1"]) {
      expect(() => timeoutOf({ timeout })).toThrow("--timeout is ");
    }
  });
});
