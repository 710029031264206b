import { createHash } from "node:crypto";
import { chmodSync, readFileSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { Parser } from "tar";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/cli.js";
import { runHere } from "../support/cli-world.js";
import { UserProject } from "../support/user-project.js";

const long = `deep/${"n".repeat(120)}.txt`;

/** A service, and all that does not belong into its archive. */
function service(): UserProject {
  const user = new UserProject()
    .write("app.json", "{}\n")
    .write("dist/main.js", "run();\n")
    .write("start.sh", "#!/bin/sh\n")
    .write("empty", "")
    .write("ü.txt", "ü\n")
    .write(long, "long\n")
    .write("node_modules/x/index.js", "")
    .write(".git/config", "")
    .write("coverage/index.html", "")
    .write("npm-debug.log", "")
    .write(".env", "PASSWORD=1")
    .write("certs/tls.key", "secret")
    .write("certs/ca.pem", "secret");
  chmodSync(join(user.folder, "start.sh"), 0o777);
  return user;
}

const packed = ["app.json", long, "dist/main.js", "empty", "start.sh", "ü.txt"].sort();

interface Entry {
  readonly path: string;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly mtimeMs: number | undefined;
  readonly text: string;
}

/** What is in a tar.gz, by tar's own parser. */
async function entriesOf(archive: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      onReadEntry: (entry) => {
        const chunks: Buffer[] = [];
        entry.on("data", (chunk: Buffer) => chunks.push(chunk));
        entry.on("end", () => {
          const { path, mode, uid, mtime } = entry;
          const text = Buffer.concat(chunks).toString();
          entries.push({ path, mode, uid, mtimeMs: mtime?.getTime(), text });
        });
      },
    });
    parser.on("end", resolve);
    parser.on("error", reject);
    parser.end(gunzipSync(readFileSync(archive)));
  });
  return entries;
}

describe("inferwire pack", { timeout: 60_000 }, () => {
  it("packs what belongs to a service, sorted, with fixed times and modes and without owners", async () => {
    const user = service();
    const { stdout, stderr } = await user.run("pack", ".", "--out", "service.tar.gz", "--json");
    expect(stderr).toBe("");
    const archive = readFileSync(join(user.folder, "service.tar.gz"));
    expect(JSON.parse(stdout)).toEqual({
      archive: join(user.folder, "service.tar.gz"),
      files: packed,
      leftOut: [".env", "certs/ca.pem", "certs/tls.key"],
      hidden: [],
      bytes: archive.length,
      sha256: createHash("sha256").update(archive).digest("hex"),
    });
    const entries = await entriesOf(join(user.folder, "service.tar.gz"));
    expect(entries.map(({ path }) => path)).toEqual(packed);
    for (const { path, mode, uid, mtimeMs } of entries) {
      expect(mode, path).toBe(path === "start.sh" ? 0o755 : 0o644);
      expect(uid ?? 0).toBe(0);
      expect(mtimeMs).toBe(Date.UTC(1980, 0, 1));
    }
    expect(entries.find(({ path }) => path === "ü.txt")?.text).toBe("ü\n");
    expect([...archive.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
  });

  it.each(["tar.gz", "zip"])("gives the same bytes for the same files: %s", async (format) => {
    const [one, two] = [service(), service()];
    utimesSync(join(two.folder, "app.json"), 1, 1);
    chmodSync(join(two.folder, "app.json"), 0o600);
    const out = `service.${format}`;
    await Promise.all([one, two].map((user) => user.run("pack", ".", "--out", out)));
    const bytes = readFileSync(join(one.folder, out));
    expect(readFileSync(join(two.folder, out)).equals(bytes)).toBe(true);
    // A second time, with the archive of the first in the folder.
    await one.run("pack", ".", "--out", out);
    expect(readFileSync(join(one.folder, out)).equals(bytes)).toBe(true);
  });

  it("writes a zip that others read", async () => {
    const user = service();
    const { code } = await user.run("pack", ".", "--format", "zip", "--out", "x");
    expect(code).toBe(0);
    const files = unzipSync(readFileSync(join(user.folder, "x")));
    expect(Object.keys(files).sort()).toEqual(packed);
    expect(Buffer.from(files["app.json"] ?? []).toString()).toBe("{}\n");
  });

  it("packs secrets when it is told to, and names them when it is not", async () => {
    const user = service();
    const without = await user.run("pack", ".", "--out", "a.tar.gz");
    expect(without.stderr).toBe(
      "left out, for they may hold secrets: .env, certs/ca.pem, certs/tls.key\n",
    );
    const { stdout } = await user.run(
      "pack",
      ".",
      "--include-secrets",
      "--json",
      "--out",
      "a.tar.gz",
    );
    expect(JSON.parse(stdout)).toMatchObject({ leftOut: [] });
    expect(JSON.parse(stdout).files).toContain("certs/tls.key");
  });

  it("leaves out credentials whatever they are called, and names what is hidden or has a token in it", async () => {
    const user = new UserProject()
      .write("app.json", '{ "token": "secret" }')
      .write(".npmrc", "//registry/:_authToken=secret")
      .write(".aws/credentials", "secret")
      .write("certs/SERVER.P12", "secret")
      .write("run/word.txt", "secret")
      .write(".settings", "");
    const env = { INFERWIRE_DIRECTORY_TOKEN_FILE: "run/word.txt" };
    const { stdout } = await runCli(["pack", ".", "--json"], { cwd: user.folder, env });
    expect(JSON.parse(stdout)).toMatchObject({
      files: [".settings", "app.json"],
      leftOut: [".aws", ".npmrc", "certs/SERVER.P12", "run/word.txt"],
      hidden: [".settings"],
    });
    const { stderr } = await runCli(["pack", "."], { cwd: user.folder, env });
    expect(stderr.split("\n")).toEqual([
      "left out, for they may hold secrets: .aws, .npmrc, certs/SERVER.P12, run/word.txt",
      "packed, though hidden: .settings",
      "packed with a token in it: app.json",
      "",
    ]);
  });

  it("leaves out what .packignore says", async () => {
    const user = service().write(".packignore", "# mine\n/dist/\n*.txt\nem**\n");
    const { stdout } = await user.run("pack", ".", "--json");
    expect(JSON.parse(stdout).files).toEqual(["app.json", "start.sh"]);
    const wrong = await user.write(".packignore", "a\n!b\n").run("pack", ".");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain(".packignore:2: !b takes something back");
  });

  it("takes links for what they point at, and never for a secret under another name", async () => {
    const user = service();
    const { folder } = user;
    symlinkSync("app.json", join(folder, "linked.json"));
    symlinkSync("../dist", join(folder, "deep/again"));
    symlinkSync("..", join(folder, "deep/up"));
    symlinkSync(".env", join(folder, "settings"));
    symlinkSync("node_modules/x", join(folder, "x"));
    const { stdout } = await user.run("pack", ".", "--json");
    const { files, leftOut } = JSON.parse(stdout);
    expect(files).toContain("linked.json");
    expect(files).toContain("deep/again/main.js");
    expect(files).not.toContain("x/index.js");
    expect(files).not.toContain("settings");
    expect(leftOut).toContain("settings");
  });

  const wrong = [
    { args: ["nope"], says: "nope is no folder" },
    { args: ["hollow"], says: "there is nothing to pack in " },
    { args: [".", "--format", "rar"], says: '--format is "rar", known: tar.gz, zip' },
    { args: ["outside"], says: "leads is a link to /, outside of the packed folder" },
    { args: ["broken"], says: "leads is a link that leads nowhere" },
    { args: ["dist", "--out", "app.json/x.tar.gz"], says: "cannot write " },
  ];

  it.each(wrong)(
    "refuses $args with one clear message, and leaves nothing behind",
    async ({ args, says }) => {
      const user = service().write("hollow/x.log", "").write("outside/a", "").write("broken/a", "");
      symlinkSync("/", join(user.folder, "outside/leads"));
      symlinkSync("nope", join(user.folder, "broken/leads"));
      const before = user.files("");
      const { code, stdout, stderr } = await runHere(["pack", ...args], user.folder);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain(says);
      expect(user.files("")).toEqual(before);
    },
  );
});
