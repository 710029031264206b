import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CodeBlock, codeBlocks, pageText } from "../support/markdown.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
// Inside the repository, where "inferwire/host" is the built package.
const folder = `${root}.inferwire/docs-${process.pid}`;

/** What the blocks take from a reader's own project, and from the blocks before them. */
const readersFiles: Readonly<Record<string, string>> = {
  "globals.d.ts": `
    type Call = import("inferwire/host").Call;
    declare const BaseProcessor: typeof import("inferwire/host").BaseProcessor;
    declare const ServerError: typeof import("inferwire/host").ServerError;
    declare const Status: typeof import("inferwire/host").Status;
    declare const hostOptionsFrom: typeof import("inferwire/host").hostOptionsFrom;
    declare const model: { score(text: string, signal: AbortSignal): Promise<number> };
    declare function userOf(session: string | undefined): Promise<string | undefined>;
    declare class Sentiment extends BaseProcessor {
      constructor(options?: import("inferwire/host").HostOptions);
      process(data: Uint8Array): Uint8Array;
    }
  `,
  "gen/sentiment/v1/sentiment_pb.ts": `
    import type { Message } from "@bufbuild/protobuf";
    import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
    type Request = GenMessage<Message<"sentiment.v1.Request"> & { text: string }>;
    type Response = GenMessage<Message<"sentiment.v1.Response"> & { score: number }>;
    export declare const SentimentService: GenService<{
      classify: { methodKind: "unary"; input: Request; output: Response };
      explain: { methodKind: "server_streaming"; input: Request; output: Response };
    }>;
  `,
};

/** A stream that the documents' service has, and that of the example has not. */
const stream = `
  methods: {
    classifyStream: {
      name: "ClassifyStream",
      requestType: ClassifyRequest,
      requestStream: true,
      responseType: ClassifyResponse,
      responseStream: true,
      options: {},
    },`;

/** The reader's generated code: the example's. */
function writeGenerated(): void {
  cpSync(`${root}examples/sentiment/gen`, `${folder}/gen`, { recursive: true });
  const messages = "gen/sentiment/v1/sentiment.ts";
  const code = readFileSync(`${folder}/${messages}`, "utf8");
  write(messages, code.replace("\n  methods: {", stream));
}

/** What goes in front of a block that is a part of a class, and behind it; on the block's own lines. */
const classParts = [
  "class Part extends BaseProcessor { process(data: Uint8Array) { return data; } " +
    "reload(data: Uint8Array, _: AbortSignal) { return data; }",
  "}; export { Part };",
] as const;

interface Page {
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
}

const pages: readonly Page[] = ["README.md", ...docPages()]
  .map((path) => ({ path, blocks: codeBlocks(pageText(path), "ts") }))
  .filter(({ blocks }) => blocks.length > 0);

function docPages(): readonly string[] {
  const names = readdirSync(`${root}docs`).filter((name) => name.endsWith(".md"));
  return names.map((name) => `docs/${name}`);
}

function write(name: string, text: string): string {
  const file = `${folder}/${name}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** A block as a module whose lines are those of the page. */
function moduleOf({ line, code }: CodeBlock): string {
  const [before, behind] = /^(readonly|override|async) /.test(code)
    ? classParts
    : ["", "export {};"];
  return `${"\n".repeat(line - 2)}${before}\n${code}${behind}\n`;
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  // Documents show what a reader may use, and export nothing.
  return {
    ...options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    isolatedDeclarations: false,
  };
}

/** Problems of every page, as `docs/host.md:12 what is wrong`. */
const problems: string[] = [];

beforeAll(() => {
  writeGenerated();
  const readers = Object.entries(readersFiles).map(([name, text]) => write(name, text));
  const modules = new Map(
    pages.flatMap(({ path, blocks }) =>
      blocks.map((block) => {
        const name = `${path.replaceAll(/\W/g, "-")}-${block.line}.ts`;
        return [write(name, moduleOf(block)), path] as const;
      }),
    ),
  );
  const program = ts.createProgram([...readers, ...modules.keys()], compilerOptions());
  for (const { file, start = 0, messageText } of ts.getPreEmitDiagnostics(program)) {
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
    const path = file && (modules.get(file.fileName) ?? file.fileName);
    problems.push(`${path ?? "compiler"}:${line} ${text}`);
  }
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("code of the documents", () => {
  it.each(pages)("compiles in $path", ({ path }) => {
    expect(problems.filter((problem) => problem.startsWith(`${path}:`))).toEqual([]);
  });

  it("compiles with what the blocks take from their reader", () => {
    const all = pages.map(({ path }) => `${path}:`);
    expect(problems.filter((problem) => !all.some((path) => problem.startsWith(path)))).toEqual([]);
  });
});
