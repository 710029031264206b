import { copyFile, mkdir, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { servingError } from "../core/serving-error.js";
import { type Buf, problemsOf } from "./buf.js";
import { pathProblem } from "./proto-path.js";
import { problemsError } from "./proto-problem.js";

/**
 * A copy of the user's protos and of buf's configuration, with those protos of the kit that they import among them, as if they
 * lay there. Buf knows no other way to an import outside of a workspace but its registry.
 */
export interface ProtoWorkspace {
  /** Absolute path of the copy. */
  readonly folder: string;
  /** The user's protos, relative to the copy and to the user's folder alike; sorted. */
  readonly ownFiles: readonly string[];
  /** The kit's protos, relative to the copy. */
  readonly kitFiles: readonly string[];
  /** Names that the kit's protos are imported by. */
  readonly kitNames: readonly string[];
  /** Adds protos of the kit that are not there yet, by the names that they are imported by. */
  addKitProtos(names: readonly string[]): Promise<void>;
  /** The user's proto, relative to the folder, of the name that it is imported by; undefined when it is not the user's. */
  fileOf(importName: string): string | undefined;
}

/** Where buf's configuration may be, and what belongs to it; relative to the user's folder. */
export const configFiles: readonly string[] = ["buf.yaml", "buf.work.yaml", "buf.lock"];
const isConfigFile = (name: string): boolean => name === "buf.yaml" || name === "buf.lock";

/** Folder of the protos where there is no configuration. */
export const defaultModule = "proto";
const defaultConfig = `version: v2
modules:
  - path: ${defaultModule}
lint:
  use: [STANDARD]
breaking:
  use: [FILE]
`;

/**
 * Lists the folders that hold the user's protos, relative to the user's folder: those of `buf.yaml` (or `buf.work.yaml`), else
 * `proto`.
 *
 * @param buf - runs in the user's folder
 * @throws ConfigError `PROTO_INVALID` when the configuration cannot be read, or there is neither it nor `proto`.
 */
export async function protoModules(folder: string, buf: Buf): Promise<readonly string[]> {
  const configured = await Promise.all(configFiles.map((name) => exists(join(folder, name))));
  if (!configured[0] && !configured[1]) {
    if (await exists(join(folder, defaultModule))) return [defaultModule];
    throw servingError(
      "PROTO_INVALID",
      `${folder} has neither a folder ${defaultModule} nor a buf.yaml, expected protos in one of them`,
    );
  }
  const run = await buf("config", "ls-modules", "--format", "json");
  if (!run.ok) throw problemsError(problemsOf(run));
  const lines = run.stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { readonly path: string }).path);
}

/**
 * Copies protos of modules, and those of the kit that they import.
 *
 * @param from - the user's folder
 * @param to - an empty folder, or none yet
 * @throws ConfigError `PROTO_INVALID` when there are no protos, or one whose path cannot be that of a module.
 */
export async function createWorkspace(options: {
  readonly from: string;
  readonly to: string;
  readonly modules: readonly string[];
  readonly kitFolder: string;
}): Promise<ProtoWorkspace> {
  const { from, to, modules, kitFolder } = options;
  const files = await moduleFiles(from, modules);
  const own = files.filter(({ path }) => path.endsWith(".proto"));
  if (own.length === 0) {
    throw servingError("PROTO_INVALID", `there are no .proto files in ${places(from, modules)}`);
  }
  const badPaths = own.flatMap(({ module, path }) => {
    const message = pathProblem(posix.relative(module, path));
    return message === undefined ? [] : [{ file: path, message }];
  });
  if (badPaths.length > 0) throw problemsError(badPaths);
  await mkdir(to, { recursive: true });
  if (!(await copyConfig(from, to))) await writeFile(join(to, "buf.yaml"), defaultConfig);
  await Promise.all(files.map(({ path }) => copyInto(to, path, join(from, path))));
  const byName = new Map(own.map(({ module, path }) => [posix.relative(module, path), path]));
  const kitNames = await importedKitFiles(from, byName, join(kitFolder, "proto"));
  const [home = "."] = modules;
  const addKitProtos = async (names: readonly string[]): Promise<void> => {
    const missing = names.filter((name) => !byName.has(name));
    await Promise.all(
      missing.map((name) => copyInto(to, posix.join(home, name), join(kitFolder, "proto", name))),
    );
  };
  await addKitProtos(kitNames);
  return {
    folder: to,
    ownFiles: own.map(({ path }) => path),
    kitFiles: kitNames.map((name) => posix.join(home, name)),
    kitNames,
    addKitProtos,
    fileOf: (importName) => byName.get(importName),
  };
}

const places = (folder: string, modules: readonly string[]): string =>
  modules.map((module) => join(folder, module)).join(", ");

interface ModuleFile {
  readonly module: string;
  /** Relative to the user's folder, with slashes. */
  readonly path: string;
}

/** The protos of modules with their configuration; sorted. */
export async function moduleFiles(
  folder: string,
  modules: readonly string[],
): Promise<readonly ModuleFile[]> {
  const files: ModuleFile[] = [];
  for (const module of modules) {
    const paths: string[] = [];
    await listFiles(folder, module, paths, new Set());
    for (const path of paths) files.push({ module, path });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Follows links, but none twice on the way down; leaves out what is installed and what is hidden. */
async function listFiles(
  folder: string,
  path: string,
  found: string[],
  above: ReadonlySet<string>,
): Promise<void> {
  const real = await realpath(join(folder, path)).catch(() => undefined);
  if (real === undefined || above.has(real)) return;
  const within = new Set([...above, real]);
  for (const entry of await readdir(real, { withFileTypes: true })) {
    const { name } = entry;
    const inner = posix.join(path, name);
    const wanted = name.endsWith(".proto") || isConfigFile(name);
    const kind = entry.isSymbolicLink() ? await stat(join(real, name)).catch(() => entry) : entry;
    if (kind.isFile() && wanted) found.push(inner);
    if (kind.isDirectory() && name !== "node_modules" && !name.startsWith(".")) {
      await listFiles(folder, inner, found, within);
    }
  }
}

async function copyConfig(from: string, to: string): Promise<boolean> {
  const there = await Promise.all(
    configFiles.map(async (name) => {
      if (!(await exists(join(from, name)))) return false;
      await copyFile(join(from, name), join(to, name));
      return name !== "buf.lock";
    }),
  );
  return there.includes(true);
}

async function copyInto(folder: string, path: string, file: string): Promise<void> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(file, target);
}

const IMPORT = /^[ \t]*import\s+(?:(?:public|weak|option)\s+)?["']([^"'\n]+)["']/gm;

/** Names of the kit's protos that the user's import, directly or through another, and do not have themselves. */
async function importedKitFiles(
  folder: string,
  own: ReadonlyMap<string, string>,
  kitProtos: string,
): Promise<readonly string[]> {
  const names = new Set<string>();
  const take = async (file: string): Promise<void> => {
    const text = await readFile(file, "utf8");
    for (const [, name = ""] of text.matchAll(IMPORT)) {
      const ofKit = join(kitProtos, name);
      if (own.has(name) || names.has(name) || name.includes("..")) continue;
      if (!(await exists(ofKit))) continue;
      names.add(name);
      await take(ofKit);
    }
  };
  for (const path of own.values()) await take(join(folder, path));
  return [...names].sort();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
