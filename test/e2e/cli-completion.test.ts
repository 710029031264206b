import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "inferwire-completion-"));
const scriptFile = join(folder, "inferwire.bash");

beforeAll(async () => {
  const { code, stdout } = await runCli(["completion", "bash"]);
  expect(code).toBe(0);
  writeFileSync(scriptFile, stdout);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers at the end of a line. */
function offered(line: string): readonly string[] {
  const program = `
    source "$1"
    [[ $(complete -p inferwire) == *"-F _inferwire inferwire" ]] || exit 9
    COMP_LINE=$2 COMP_POINT=\${#2}
    _inferwire
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ["--norc", "--noprofile", "-c", program, "bash", scriptFile, line];
  const text = execFileSync("bash", args, { encoding: "utf8", cwd: folder });
  return text.split("\n").filter((word) => word !== "");
}

describe("inferwire completion bash", () => {
  it("completes commands", () => {
    expect(offered("inferwire ")).toEqual(
      expect.arrayContaining(["call", "builtin", "resolve", "completion", "--help", "--version"]),
    );
    expect(offered("inferwire res")).toEqual(["resolve"]);
  });

  it("completes flags of the command, those of every command included", () => {
    expect(offered("inferwire resolve --w")).toEqual(["--watch"]);
    expect(offered("inferwire call --pro")).toEqual(["--proto", "--proto-path"]);
    expect(offered("inferwire resolve x --js")).toEqual(["--json"]);
    expect(offered("inferwire resolve --data")).toEqual([]);
  });

  it("completes arguments that are one of a few words, wherever flags stand", () => {
    expect(offered("inferwire completion ")).toEqual(["bash", "zsh", "fish"]);
    expect(offered("inferwire completion f")).toEqual(["fish"]);
    expect(offered("inferwire builtin p")).toEqual(["ping", "prop"]);
    expect(offered("inferwire builtin --json --timeout 5 m")).toEqual(["monitor"]);
    expect(offered("inferwire builtin ping p")).toEqual([]);
  });

  it("completes commands below one, right behind it, and what they take", () => {
    expect(offered("inferwire directory ")).toEqual(["ls", "weight", "release"]);
    expect(offered("inferwire directory l")).toEqual(["ls"]);
    expect(offered("inferwire directory --store-tls-c")).toEqual([
      "--store-tls-ca-file",
      "--store-tls-cert-file",
    ]);
    expect(offered("inferwire directory ls --dir")).toEqual(["--directory"]);
    expect(offered("inferwire directory release mnist --to v2 --per")).toEqual(["--percent"]);
    expect(offered("inferwire directory ls --end")).toEqual([]);
    expect(offered("inferwire directory --json l")).toEqual([]);
    expect(offered("inferwire resolve l")).toEqual([]);
  });

  it("leaves values without known words, and targets with colons, to bash's own files", () => {
    expect(offered("inferwire call --proto ")).toEqual([]);
    expect(offered("inferwire call 127.0.0.1:8080 Ec")).toEqual([]);
    expect(offered("inferwire call 127.0.0.1:8080 Echo --tem")).toEqual(["--template"]);
    expect(offered("inferwire nonsense --")).toEqual([]);
  });

  it("runs nothing that was typed", () => {
    expect(offered("inferwire resolve $(touch touched) `touch touched` --wa")).toEqual(["--watch"]);
    expect(execFileSync("ls", [folder], { encoding: "utf8" })).toBe("inferwire.bash\n");
  });
});

describe("inferwire completion", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { status } = spawnSync(shell, ["-c", "exit 0"]);
    const without = status !== 0 && process.env["CI"] === undefined;
    const note = without ? " (skipped: not installed)" : "";
    it.skipIf(without)(`prints what ${shell} can read${note}`, async () => {
      const { stdout } = await runCli(["completion", shell]);
      const file = join(folder, shell);
      writeFileSync(file, stdout);
      expect(execFileSync(shell, ["-n", file], { encoding: "utf8" })).toBe("");
      rmSync(file);
    });
  }

  it("refuses any other shell, and names those that it knows", async () => {
    const { code, stderr } = await runCli(["completion", "tcsh"]);
    expect(code).toBe(2);
    expect(stderr).toContain("bash, zsh, fish");
  });
});
