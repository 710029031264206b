import { existsSync } from "node:fs";
import { join } from "node:path";
import { Status } from "inferwire/host";
import { describe, expect, it } from "vitest";
import { runHere } from "../support/cli-world.js";
import { boundPort } from "../support/programs.js";
import { UserProject } from "../support/user-project.js";

/** Makes a project in a folder that is not there yet. */
async function init(...flags: readonly string[]): Promise<UserProject> {
  const around = new UserProject();
  const { code, stderr } = await runHere(["init", "my-model", ...flags], around.folder);
  if (code !== 0) throw new Error(stderr);
  return new UserProject(join(around.folder, "my-model"));
}

const packageOf = (user: UserProject): Record<string, Record<string, string>> =>
  JSON.parse(user.read("package.json"));

describe("inferwire init", () => {
  const templates = [
    { template: "processor", says: "6" },
    { template: "tensorflow", says: "2.5" },
  ];

  // The one with a proto of its own is made, installed and started by the test of the first minute.
  it.each(templates)(
    "makes a $template that type-checks, tests and starts as it is",
    async ({ template, says }) => {
      const user = (await init("--template", template)).link();
      const tests = await user.bin("vitest", "run");
      expect(tests.stdout + tests.stderr).toMatch(/Test Files .*1 passed/);
      // Once, for the checks and the build: with the tests, by the settings that editors see.
      const compiled = await user.bin("tsc", "--noEmit", "false", "--sourceMap");
      expect(compiled).toMatchObject({ code: 0, stdout: "" });
      const host = user.start(["dist/src/main.js"], { INFERWIRE_ENDPOINT: "127.0.0.1:0" });
      await host.said('"address"');
      const at = `127.0.0.1:${boundPort(host)}`;
      const target = template === "tensorflow" ? `http://${at}` : at;
      const { stdout } = await user.node("dist/src/client.js", target);
      expect(stdout).toContain(says);
      const ready = await fetch(`http://${at}/readyz`);
      expect(ready.status).toBe(200);
      host.child.kill("SIGTERM");
      expect(await host.exited).toBe(Status.OK);
    },
    120_000,
  );

  it("names everything after the folder, or as it is told", async () => {
    expect(packageOf(await init())).toMatchObject({ name: "my-model" });
    const other = await init("--name", "group.mood_Service");
    expect(packageOf(other)).toMatchObject({ name: "group-mood-service" });
  });

  it("takes the kit by version, or from a packed tarball", async () => {
    expect(packageOf(await init("--kit", "0.9.1"))["dependencies"]).toEqual({ inferwire: "0.9.1" });
    const around = new UserProject().write("kit.tgz", "");
    await around.run("init", "services/mine", "--kit", "kit.tgz");
    const user = new UserProject(join(around.folder, "services/mine"));
    expect(packageOf(user)["dependencies"]).toEqual({ inferwire: "file:../../kit.tgz" });
  });

  it("prints what comes next", async () => {
    const around = new UserProject();
    const { stdout } = await around.run("init", "mine", "--template", "service");
    expect(stdout.split("\n").slice(2, 6)).toEqual([
      "next:",
      "cd mine",
      "npm install",
      expect.stringMatching(/^npm run generate +# /),
    ]);
    const json = await around.run("init", "other", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      folder: join(around.folder, "other"),
      next: ["cd other", "npm install", "npm test", "npm start", "npm run client"],
    });
  });

  it("takes an empty folder, this one too", async () => {
    const user = new UserProject();
    expect((await user.run("init", ".", "--name", "mine")).code).toBe(0);
    expect(user.files("")).toContain("src/main.ts");
  });

  const wrong = [
    {
      args: [".", "--name", "x"],
      says: "is not empty: kept.txt, node_modules; nothing was written",
    },
    { args: ["kept.txt"], says: "kept.txt is a file, expected a folder that is empty" },
    {
      args: ["new", "--template", "servce"],
      says: '--template is "servce", did you mean "service"?',
    },
    { args: ["new", "--name", "a b"], says: '--name is "a b", expected letters, digits' },
    { args: ["1st"], says: 'DIR is "1st", expected a name that begins with a letter' },
    {
      args: ["new", "--kit", "nope.tgz"],
      says: '--kit is "nope.tgz", expected a version, or the file',
    },
    { args: [], says: "missing required argument 'dir'" },
  ];

  it.each(wrong)(
    "refuses $args with one clear message, and writes nothing",
    async ({ args, says }) => {
      const user = new UserProject().write("kept.txt", "kept").write("node_modules/.keep", "");
      const { code, stdout, stderr } = await runHere(["init", ...args], user.folder);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain(says);
      expect(existsSync(join(user.folder, "new"))).toBe(false);
      expect(user.files("")).toEqual(["kept.txt", "node_modules/.keep"]);
    },
  );
});
