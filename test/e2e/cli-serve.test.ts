import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scratchFolder, servedPort, startCli } from "../support/cli.js";
import { programUrl } from "../support/programs.js";
import { post } from "../support/raw-http.js";
import { until } from "../support/until.js";

const program = (file: string): string => new URL(programUrl(file)).pathname;
const folder = scratchFolder();
const free = ["--endpoint", "127.0.0.1:0"];

describe("inferwire serve", () => {
  it("says in one line what is served, and stops in order with 0", async () => {
    const host = startCli(["serve", program("serve-class.mjs"), ...free, "--service", "told"]);
    await host.said("serving told at");
    expect(host.output()).toMatch(/^serving told at 127\.0\.0\.1:\d+ \(1 inline lane\)$/m);
    expect((await post(servedPort(host), "/", "x")).text).toBe("told - inline");
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  });

  it("lays flags over code, code over the environment, and that over a description", async () => {
    const module = folder.write(
      "coded.mjs",
      `import { BaseProcessor } from "inferwire/host";
       class Coded extends BaseProcessor {
         initialize({ service, modelPath }) { this.told = service + " " + modelPath; }
         process() { return Buffer.from(this.told); }
       }
       await new Coded({ modelPath: "code", endpoint: "127.0.0.1:1" }).run();`,
    );
    const app = folder.write(
      "app.json",
      JSON.stringify({ name: "described", processor_entry: "coded.mjs", model_path: "described" }),
    );
    expect(module).toContain("coded.mjs");
    const env = { INFERWIRE_SERVICE: "environment", INFERWIRE_MODEL_PATH: "environment" };
    const host = startCli(["serve", app, "--json", ...free], env);
    await host.said('"lanes"');
    expect((await post(servedPort(host), "/", "x")).text).toBe("environment code");
  });

  it("makes a token that the description asks for, and shows it once", async () => {
    const app = folder.write(
      "token.json",
      JSON.stringify({ generate_token: "true", processor_entry: program("serve-class.mjs") }),
    );
    const host = startCli(["serve", app, ...free]);
    await host.said("serving");
    const shown = [...host.output().matchAll(/shown once: (\S+)/g)];
    expect(shown).toHaveLength(1);
    const token = shown[0]?.[1] ?? "";
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    const port = servedPort(host);
    expect((await post(port, "/", "x")).status).toBe(401);
    expect((await post(port, "/", "x", { authorization: token })).status).toBe(200);
    expect(host.output().split(token)).toHaveLength(2);
  });

  it("follows the file of its token", async () => {
    const file = folder.write("token", "first\n");
    const env = { INFERWIRE_TOKEN_FILE: file };
    const host = startCli(["serve", program("serve-class.mjs"), ...free], env);
    await host.said("serving");
    const port = servedPort(host);
    const status = async (token: string): Promise<number> =>
      (await post(port, "/", "x", { authorization: token })).status;
    expect([await status("first"), await status("second")]).toEqual([200, 401]);
    writeFileSync(file, "second\n");
    await until(async () => (await status("second")) === 200);
    expect(await status("first")).toBe(200);
  });

  it.each([
    ["no such module", ["none.mjs"], 5, "there is no module"],
    ["a module without a processor", [program("lane-nothing.mjs")], 5, "has no processor"],
    ["a module that starts a host", [program("lane-starts.mjs")], 5, "call run() instead"],
    ["an unknown flag", [program("serve-class.mjs"), "--endpont", ":1"], 2, "--endpoint"],
    ["an unknown option", [program("serve-class.mjs"), "--set", "wieght=1"], 2, '"weight"'],
  ])("refuses %s in one message", async (_, args, exitCode, text) => {
    const host = startCli(["serve", ...args]);
    expect(await host.exited).toBe(exitCode);
    expect(host.output()).toContain(text);
    expect(host.output()).not.toContain("    at ");
  });

  it("names file, line, column and path of a field that nobody knows", async () => {
    const app = folder.write("bad.json", '{\n  "name": "x",\n  "metadata": { "cpuu": 1 }\n}');
    const host = startCli(["serve", app]);
    expect(await host.exited).toBe(2);
    expect(host.output()).toContain(`${app}:3:17: service description: metadata.cpuu is not known`);
  });

  it("names the address that is taken", async () => {
    const first = startCli(["serve", program("serve-class.mjs"), ...free]);
    await first.said("serving");
    const address = `127.0.0.1:${servedPort(first)}`;
    const second = startCli(["serve", program("serve-class.mjs"), "--endpoint", address]);
    expect(await second.exited).toBe(6);
    expect(second.output()).toContain(`error: ${address} is taken by another process`);
  });
});
