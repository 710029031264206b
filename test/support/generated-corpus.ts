import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { GeneratedFiles } from "../../src/codegen/generated-files.js";
import { findNeededPackages } from "../../src/codegen/needed-packages.js";
import { built } from "./built-kit.js";
import { emptyFolder, insideKit, kitFolder } from "./folders.js";

const program = (name: string): string => join(kitFolder, "node_modules", ".bin", name);

/** A folder of protos, and of what is made of them. */
export class ProtoProject {
  /** Below the repository, where generated code finds the kit by its name. */
  readonly folder: string = emptyFolder(insideKit);

  /** Makes one with the kit's options, and without other protos. */
  constructor() {
    mkdirSync(join(this.folder, "protos"));
    const options = join("inferwire", "options");
    cpSync(join(kitFolder, "proto", options), join(this.folder, "kit", options), {
      recursive: true,
    });
    writeFileSync(
      join(this.folder, "buf.yaml"),
      "version: v2\nmodules: [{path: protos}, {path: kit}]\n",
    );
  }

  /** Adds a proto. */
  add(name: string, text: string): this {
    writeFileSync(join(this.folder, "protos", name), text);
    return this;
  }

  /** Adds the corpus. */
  addCorpus(): this {
    const corpus = join(kitFolder, "test", "codegen", "corpus");
    cpSync(corpus, join(this.folder, "protos"), { recursive: true });
    return this;
  }

  /** The image of all protos. */
  image(): Uint8Array {
    this.#run(program("buf"), "build", "-o", "image.binpb");
    return readFileSync(join(this.folder, "image.binpb"));
  }

  /** Generates all that users get from {@link image}, as the command does, into `gen`. */
  async generate(): Promise<GeneratedFiles> {
    const { runGenerators } = await built<typeof import("../../src/codegen/run-generators.js")>(
      "codegen/run-generators.js",
    );
    const files = await runGenerators({
      image: join(this.folder, "image.binpb"),
      scratch: emptyFolder(),
      programs: findNeededPackages(kitFolder, { folder: kitFolder, versionOf: () => "" }),
      typedArrays: false,
      bufGenerate: (image, template) => this.#start("generate", image, "--template", template),
    });
    for (const [path, content] of files) {
      const file = join(this.folder, "gen", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    return files;
  }

  /** Compiles `gen` and what stands beside it to `out`, under every flag of the repository. */
  compile(): this {
    const settings = {
      extends: join(kitFolder, "tsconfig.json"),
      compilerOptions: { noEmit: false, rootDir: ".", outDir: "out" },
      include: ["gen", "*.ts"],
    };
    writeFileSync(join(this.folder, "tsconfig.json"), JSON.stringify(settings));
    this.#run(program("tsc"), "-p", ".");
    return this;
  }

  async #start(...args: readonly string[]): Promise<void> {
    await promisify(execFile)(program("buf"), args, { cwd: this.folder });
  }

  #run(file: string, ...args: readonly string[]): void {
    try {
      execFileSync(file, args, { cwd: this.folder, stdio: "pipe", encoding: "utf8" });
    } catch (thrown) {
      const { stdout, stderr } = thrown as { readonly stdout: string; readonly stderr: string };
      throw new Error(`${stdout}${stderr}`, { cause: thrown });
    }
  }
}

/** A proto of so many messages, in chains of ten: a compiler follows longer ones for long. */
export function manyMessages(count: number): string {
  const messages = Array.from({ length: count }, (_, i) => {
    const before = i % 10 === 0 ? "" : `  Message${i - 1} before = 3;\n`;
    return `message Message${i} {\n  string text = 1;\n  repeated int64 numbers = 2;\n${before}}\n`;
  });
  return `syntax = "proto3";\npackage corpus.many.v1;\n${messages.join("")}`;
}
