import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { cliFile, runNode } from "../support/cli.js";
import { emptyFolder, kitFolder } from "../support/folders.js";
import { codeBlocks, pageText } from "../support/markdown.js";

const run = promisify(execFile);

/** A line that the reader types, and what the page shows below it. */
interface Step {
  readonly line: string;
  readonly shown: string;
}

/** The transcript of the page. */
function transcript(): readonly Step[] {
  const [block] = codeBlocks(pageText("README.md"), "console");
  const steps = block?.code.split(/^\$ /m).slice(1) ?? [];
  return steps.map((step) => {
    const end = step.indexOf("\n");
    return { line: step.slice(0, end), shown: step.slice(end + 1) };
  });
}

/** Where the page's service answers. */
const SHOWN_PORT = ":8080";

const env: NodeJS.ProcessEnv = {
  ...process.env,
  INFERWIRE_ENDPOINT: "127.0.0.1:0",
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_prefer_offline: "true",
};

/** A reader's shell. */
class Shell {
  readonly #around = emptyFolder();
  #folder = this.#around;
  #tarball = "";
  #port = SHOWN_PORT;
  #background: ChildProcess | undefined;

  get folder(): string {
    return this.#folder;
  }

  /** Packs the kit: it is not in any registry yet. */
  async packKit(): Promise<void> {
    const to = emptyFolder();
    await run("npm", ["pack", "--ignore-scripts", "--pack-destination", to], { cwd: kitFolder });
    this.#tarball = join(to, readdirSync(to)[0] ?? "");
  }

  /** Does what a line says; gives what it has printed. */
  async type(line: string): Promise<string> {
    if (line.startsWith("cd ")) {
      this.#folder = join(this.#folder, line.slice("cd ".length));
      return "";
    }
    if (line.endsWith(" &")) return await this.#inBackground(line.slice(0, -" &".length));
    // Before anything is installed, the built kit stands for what npx would fetch.
    const command = line.replace(
      /^npx inferwire (init .*)$/,
      `node ${cliFile} $1 --kit ${this.#tarball}`,
    );
    const { stdout } = await run("bash", ["-c", command.replaceAll(SHOWN_PORT, this.#port)], {
      cwd: this.#folder,
      env,
      maxBuffer: 2 ** 26,
    });
    return stdout.replaceAll(this.#port, SHOWN_PORT);
  }

  async #inBackground(line: string): Promise<string> {
    const options = { cwd: this.#folder, env, detached: true } as const;
    const child = spawn("bash", ["-c", line], options);
    this.#background = child;
    onTestFinished(() => this.#endBackground());
    let printed = "";
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      printed += String(chunk);
      if (printed.includes("\n")) break;
    }
    child.stdout.resume();
    child.stderr.resume();
    this.#port = /:\d+/.exec(printed)?.[0] ?? this.#port;
    return printed.replaceAll(this.#port, SHOWN_PORT);
  }

  /** Ends the whole group: npx stands between. */
  #endBackground(): void {
    const { pid } = this.#background ?? {};
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  }

  get address(): string {
    return `127.0.0.1${this.#port}`;
  }
}

describe("the first minute", () => {
  it("goes from nothing to a service that answers, by the lines of README.md", {
    timeout: 600_000,
  }, async () => {
    const shell = new Shell();
    await shell.packKit();
    const steps = transcript();
    expect(steps.length).toBeGreaterThan(6);
    const startedMs = performance.now();
    for (const { line, shown } of steps) {
      const printed = await shell.type(line);
      if (shown !== "") expect(printed, line).toBe(shown);
    }
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    // biome-ignore lint/suspicious/noConsole: whoever changes the flow is to see what it costs a reader.
    console.log(`README.md: from nothing to an answer in ${seconds} s`);

    expect(await shell.type("npm run check")).toContain("gen matches the protos");
    const client = await runNode(["dist/src/client.js", shell.address], { cwd: shell.folder });
    expect(client.stdout).toBe("question 0.9\n");
  });
});
