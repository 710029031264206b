import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { servingError } from "../core/serving-error.js";
import { type Buf, createBuf, problemsOf } from "./buf.js";
import { descriptorSetModule } from "./descriptor-set-module.js";
import { type GeneratedFiles, withoutUnneeded } from "./generated-files.js";
import { protosAt } from "./git-protos.js";
import { findNeededPackages, type GeneratorPrograms, type KitPackage } from "./needed-packages.js";
import { changeOutput, compareOutput, type OutputChanges } from "./output-folder.js";
import { type ProtoProblem, problemsError, problemsIn } from "./proto-problem.js";
import {
  createWorkspace,
  defaultModule,
  type ProtoWorkspace,
  protoModules,
} from "./proto-workspace.js";
import { runGenerators } from "./run-generators.js";

/** What stands behind a proto's name in the names of its modules. */
const MODULE_ENDING = /(?:\.(?:client|processor|testing))?\.ts$/;

/** What is generated, and where to. */
export interface GenerateOptions {
  /** Absolute path of the user's folder. */
  readonly folder: string;
  /** Absolute path of the folder for generated code. */
  readonly out: string;
  readonly kit: KitPackage;
  /** Whether every field that can be a typed array becomes one. */
  readonly typedArrays: boolean;
  /** Whether to compare only. */
  readonly check: boolean;
  /** A ref of git that the protos may not break. */
  readonly against: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it; nothing has been written then. */
  readonly signal: AbortSignal;
  /** Told what is going on. */
  readonly onStep: (text: string) => void;
}

/** What came of it. */
export interface Generated {
  /** The user's protos. */
  readonly protos: number;
  /** Generated files, written or not. */
  readonly files: number;
  readonly changes: OutputChanges;
}

/**
 * Lints the user's protos, compares them with a ref of git if one is given, generates code in a folder for the time being, and
 * puts it in its place when all has gone well.
 *
 * @throws ConfigError `PROTO_INVALID` with every problem in `details.problems`, `PEER_MISSING`, `INVALID_OPTION`;
 * `GENERATED_STALE` when only comparing.
 */
export async function generate(options: GenerateOptions): Promise<Generated> {
  checkOut(options);
  const { folder, kit, env, signal } = options;
  const programs = findNeededPackages(folder, kit);
  const bufIn = (at: string): Buf => createBuf({ program: programs.buf, folder: at, env, signal });
  const modules = await protoModules(folder, bufIn(folder));
  const scratch = await realpath(await mkdtemp(join(tmpdir(), "inferwire-generate-")));
  try {
    const to = join(scratch, "workspace");
    const kitFolder = kit.folder;
    const workspace = await createWorkspace({ from: folder, to, modules, kitFolder });
    const files = await checkedCode(options, { scratch, workspace, programs, bufIn }).catch(
      async (thrown: unknown) => {
        throw await inUsersWords(thrown, workspace);
      },
    );
    return await deliver(options, workspace, files);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What the steps share. */
interface Work {
  readonly scratch: string;
  readonly workspace: ProtoWorkspace;
  readonly programs: GeneratorPrograms;
  readonly bufIn: (folder: string) => Buf;
}

async function checkedCode(options: GenerateOptions, work: Work): Promise<GeneratedFiles> {
  const { onStep, typedArrays } = options;
  const { scratch, workspace, programs, bufIn } = work;
  const buf = bufIn(workspace.folder);
  const skipped = workspace.kitFiles.flatMap((path) => ["--exclude-path", path]);
  onStep(`lint of ${workspace.ownFiles.length} protos`);
  await check(buf, "lint", ...skipped);
  onStep("build");
  const image = join(scratch, "image.binpb");
  await check(buf, "build", ...skipped, "--output", image);
  await checkAgainst(options, work);
  onStep("code");
  const bufGenerate = (of: string, template: string): Promise<void> =>
    check(buf, "generate", of, "--template", template);
  return runGenerators({ image, scratch, programs, typedArrays, bufGenerate });
}

/**
 * Lists the folders of the user's protos for a watch, which must go on when buf's configuration is wrong.
 *
 * @throws ConfigError `PEER_MISSING`.
 */
export async function watchedModules({
  folder,
  kit,
  env,
  signal,
}: GenerateOptions): Promise<readonly string[]> {
  const { buf: program } = findNeededPackages(folder, kit);
  const buf = createBuf({ program, folder, env, signal });
  return protoModules(folder, buf).catch(() => [defaultModule]);
}

/** A folder that holds the user's own files is none to keep in order. */
function checkOut({ folder, out }: GenerateOptions): void {
  const way = relative(out, folder);
  if (way.split(sep)[0] === "..") return;
  throw servingError(
    "INVALID_OPTION",
    `--out is ${out}, which holds ${folder}, expected a folder of its own, such as gen`,
  );
}

/** Runs one of buf's commands over the user's protos. */
async function check(buf: Buf, command: string, ...flags: readonly string[]): Promise<void> {
  const run = await buf(command, "--error-format", "json", ...flags);
  if (!run.ok) throw problemsError(problemsOf(run));
}

/** Gives the problems of an error, if it is one of protos, the places that the user knows. */
async function inUsersWords(thrown: unknown, workspace: ProtoWorkspace): Promise<unknown> {
  const problems = problemsIn(thrown);
  if (problems.length === 0) return thrown;
  return problemsError(await Promise.all(problems.map((problem) => placed(problem, workspace))));
}

/** Buf does not say which one. */
const MISSING_IMPORT = "imported file does not exist";

async function placed(
  problem: ProtoProblem,
  { folder, fileOf }: ProtoWorkspace,
): Promise<ProtoProblem> {
  if (problem.file === undefined) return problem;
  // Plug-ins know a proto by the name that it is imported by.
  const file = fileOf(problem.file) ?? problem.file;
  if (problem.message !== MISSING_IMPORT) return { ...problem, file };
  const text = await readFile(join(folder, file), "utf8");
  const name = /["'].*["']/.exec(text.split("\n")[(problem.line ?? 1) - 1] ?? "")?.[0] ?? "";
  return { ...problem, file, message: `${problem.message}: ${name}` };
}

async function checkAgainst(
  { folder, against, kit, env, signal, onStep }: GenerateOptions,
  { scratch, bufIn, workspace }: Work,
): Promise<void> {
  if (against === undefined) return;
  onStep(`comparison with ${against}`);
  const from = await protosAt({ folder, ref: against, scratch, env, signal });
  if (from === undefined) return;
  const modules = await protoModules(from, bufIn(from));
  const to = join(scratch, "against");
  const old = await createWorkspace({ from, to, modules, kitFolder: kit.folder });
  // The kit's protos are no part of the comparison: an import more or less is no file that has gone.
  await Promise.all([workspace.addKitProtos(old.kitNames), old.addKitProtos(workspace.kitNames)]);
  await check(bufIn(workspace.folder), "breaking", "--against", to);
}

async function deliver(
  { out, folder, check: compareOnly }: GenerateOptions,
  workspace: ProtoWorkspace,
  generated: GeneratedFiles,
): Promise<Generated> {
  const files = withoutUnneeded(generated, (path) => isOfUser(path, workspace));
  const changes = await compareOutput(out, files);
  const different = [...changes.added, ...changes.changed, ...changes.stale];
  if (!compareOnly) {
    await changeOutput(out, files, changes);
  } else if (different.length > 0) {
    throw servingError(
      "GENERATED_STALE",
      `${relative(folder, out)} does not match the protos: ${describe(changes)}`,
      { details: { files: different } },
    );
  }
  return { protos: workspace.ownFiles.length, files: files.size, changes };
}

/** Tells whether a file is written for a proto of the user's, not for one that it imports. */
function isOfUser(path: string, workspace: ProtoWorkspace): boolean {
  const stem = path.replace(MODULE_ENDING, "");
  return path === descriptorSetModule.file || workspace.fileOf(`${stem}.proto`) !== undefined;
}

function describe({ added, changed, stale }: OutputChanges): string {
  return [
    ...added.map((path) => `${path} is missing`),
    ...changed.map((path) => `${path} differs`),
    ...stale.map((path) => `${path} is no longer generated`),
  ].join(", ");
}
