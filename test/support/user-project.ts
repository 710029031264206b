import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CliResult, cliFile, runNode } from "./cli.js";
import { emptyFolder, kitFolder } from "./folders.js";
import { type Program, startNode } from "./programs.js";

/** A folder of somebody who uses the kit. */
export class UserProject {
  readonly folder: string;

  constructor(folder: string = emptyFolder()) {
    this.folder = folder;
  }

  /** Has the packages of the kit's own tests, and the built kit among them, as if they had been installed. */
  link(without: readonly string[] = []): this {
    const packages = join(kitFolder, "node_modules");
    for (const name of [...packageNames(packages), ".bin"]) {
      if (name === "inferwire" || without.includes(name)) continue;
      this.#symlink(join(packages, name), name);
    }
    this.#symlink(kitFolder, "inferwire");
    return this;
  }

  write(path: string, text: string): this {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return this;
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  /** Files below a folder, sorted. */
  files(path: string): readonly string[] {
    const folder = join(this.folder, path);
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
  }

  /** Runs the command line in the folder. */
  run(...args: readonly string[]): Promise<CliResult> {
    return this.node(cliFile, ...args);
  }

  /** Runs a program of an installed package. */
  bin(name: string, ...args: readonly string[]): Promise<CliResult> {
    return this.node(join(this.folder, "node_modules/.bin", name), ...args);
  }

  /** Runs Node in the folder. */
  node(...args: readonly string[]): Promise<CliResult> {
    return runNode(args, { cwd: this.folder });
  }

  /** Starts Node in the folder; ended after the test. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    return startNode(args, env, this.folder);
  }

  /** Starts the command line in the folder; ended after the test. */
  startCli(...args: readonly string[]): Program {
    return this.start([cliFile, ...args]);
  }

  git(...args: readonly string[]): void {
    const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    execFileSync("git", [...who, ...args], { cwd: this.folder, stdio: "ignore" });
  }

  #symlink(target: string, name: string): void {
    const link = join(this.folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
  }
}

function packageNames(packages: string): readonly string[] {
  return readdirSync(packages)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@")
        ? readdirSync(join(packages, name)).map((inner) => `${name}/${inner}`)
        : [name],
    );
}
