import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, posix, relative, sep } from "node:path";
import { servingError } from "../../core/serving-error.js";
import { alwaysIgnored, isSecretName, packIgnorePatterns, pathTest } from "./ignore-rules.js";

/** One file of an archive. */
export interface PackedFile {
  /** In the archive: relative, with slashes. */
  readonly path: string;
  /** Absolute path of its content, links followed. */
  readonly file: string;
  readonly bytes: number;
  readonly executable: boolean;
}

/** What is packed, and what is not though somebody may expect it. */
export interface PackList {
  /** Sorted by path. */
  readonly files: readonly PackedFile[];
  /** What may hold secrets: files, and folders with all that is in them. */
  readonly leftOut: readonly string[];
  /** Files that are packed though they are hidden, or in a hidden folder. */
  readonly hidden: readonly string[];
}

/**
 * Lists what is to be packed. Links are taken for what they point at.
 *
 * @param root - absolute path
 * @param without - absolute paths of files that are left out besides: archives
 * @param secrets - absolute paths of files that somebody says hold secrets, whatever they are called
 * @throws ConfigError `INVALID_OPTION` for no folder, for an empty one, for a link that leads outside or nowhere.
 */
export async function packList(
  root: string,
  {
    includeSecrets,
    without,
    secrets,
  }: {
    readonly includeSecrets: boolean;
    readonly without: readonly string[];
    readonly secrets: readonly string[];
  },
): Promise<PackList> {
  const top = await stat(root).catch(() => undefined);
  if (top?.isDirectory() !== true) {
    throw servingError("INVALID_OPTION", `${root} is no folder`);
  }
  const own = await readFile(join(root, ".packignore"), "utf8").catch(() => "");
  const realRoot = await realpath(root);
  const named = new Set(await inRealFolders(secrets));
  const walk = new Walk(realRoot, {
    isIgnored: pathTest([...alwaysIgnored, ...packIgnorePatterns(own)]),
    isSecret: (path, isFolder) =>
      !includeSecrets && (isSecretName(path, isFolder) || named.has(join(realRoot, path))),
    without: new Set(await inRealFolders(without)),
  });
  await walk.folder("", new Set());
  if (walk.files.length === 0) {
    throw servingError("INVALID_OPTION", `there is nothing to pack in ${root}`);
  }
  walk.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const hidden = walk.files.map(({ path }) => path).filter((path) => /(?:^|\/)\./.test(path));
  return { files: walk.files, leftOut: walk.leftOut.sort(), hidden };
}

/** Links in the way to a file are followed, the file itself may be one. */
function inRealFolders(files: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    files.map(async (file) => {
      const folder = await realpath(dirname(file)).catch(() => dirname(file));
      return join(folder, basename(file));
    }),
  );
}

interface WalkRules {
  readonly isIgnored: (path: string, isFolder: boolean) => boolean;
  readonly isSecret: (path: string, isFolder: boolean) => boolean;
  readonly without: ReadonlySet<string>;
}

class Walk {
  readonly files: PackedFile[] = [];
  readonly leftOut: string[] = [];
  readonly #root: string;
  readonly #rules: WalkRules;

  constructor(root: string, rules: WalkRules) {
    this.#root = root;
    this.#rules = rules;
  }

  /** @param above - real paths on the way down, so that a link to one of them is no endless way */
  async folder(path: string, above: ReadonlySet<string>): Promise<void> {
    const real = await realpath(join(this.#root, path));
    if (above.has(real)) return;
    for (const entry of await readdir(real, { withFileTypes: true })) {
      const inner = posix.join(path, entry.name);
      const names = [inner];
      if (entry.isSymbolicLink()) {
        if (this.#rules.isIgnored(inner, false)) continue;
        names.push(await this.#targetOf(inner));
      }
      await this.#entry(inner, names, new Set([...above, real]));
    }
  }

  /** @param names - the path, and that of what it links to: a secret is one under any name */
  async #entry(path: string, names: readonly string[], above: ReadonlySet<string>): Promise<void> {
    const file = join(this.#root, path);
    const { isIgnored, isSecret, without } = this.#rules;
    const look = await stat(file);
    const isFolder = look.isDirectory();
    if (without.has(file) || names.some((name) => isHit(name, isFolder, isIgnored))) return;
    if (names.some((name) => isHit(name, isFolder, isSecret))) {
      this.leftOut.push(path);
    } else if (isFolder) {
      await this.folder(path, above);
    } else if (look.isFile()) {
      const executable = (look.mode & 0o100) !== 0;
      this.files.push({ path, file, bytes: look.size, executable });
    }
  }

  async #targetOf(path: string): Promise<string> {
    const target = await realpath(join(this.#root, path)).catch(() => undefined);
    if (target === undefined) {
      throw servingError("INVALID_OPTION", `${path} is a link that leads nowhere`);
    }
    const way = relative(this.#root, target);
    if (way.split(sep)[0] === ".." || isAbsolute(way)) {
      throw servingError(
        "INVALID_OPTION",
        `${path} is a link to ${target}, outside of the packed folder; copy it, or name it in .packignore`,
      );
    }
    return way.split(sep).join("/");
  }
}

/** Tells whether a path or a folder that it lies in is meant; a link may lead into the midst of one. */
function isHit(path: string, isFolder: boolean, test: WalkRules["isIgnored"]): boolean {
  const parts = path.split("/");
  return parts.some((_, index) => {
    const isLast = index === parts.length - 1;
    return test(parts.slice(0, index + 1).join("/"), !isLast || isFolder);
  });
}
