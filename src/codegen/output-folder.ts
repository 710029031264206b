import { mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { servingError } from "../core/serving-error.js";
import { filesBelow, type GeneratedFiles, isMarked } from "./generated-files.js";

/** What has to be done so that a folder holds what was generated, and nothing else of the command's. */
export interface OutputChanges {
  /** Files that are not there yet. */
  readonly added: readonly string[];
  /** Files that are there with another content. */
  readonly changed: readonly string[];
  /** Files that the command wrote once, and would not now. */
  readonly stale: readonly string[];
}

/**
 * Compares a folder with what was generated.
 *
 * @throws ConfigError `INVALID_OPTION` when a file that the command did not write is in the way.
 */
export async function compareOutput(folder: string, files: GeneratedFiles): Promise<OutputChanges> {
  const changed: string[] = [];
  const stale: string[] = [];
  const there = await filesBelow(folder);
  for (const path of there) {
    const wanted = files.get(path);
    const found = await readFile(join(folder, path));
    if (wanted === undefined) {
      if (isMarked(found)) stale.push(path);
    } else if (!wanted.equals(found)) {
      if (!isMarked(found)) throw inTheWay(join(folder, path));
      changed.push(path);
    }
  }
  const present = new Set(there);
  return { added: [...files.keys()].filter((path) => !present.has(path)), changed, stale };
}

function inTheWay(path: string): Error {
  return servingError(
    "INVALID_OPTION",
    `${path} is in the way: inferwire generate has not written it (its first line would say so); move it, or give another --out`,
  );
}

/**
 * Makes these changes: every new content is written under another name first, then takes its place.
 *
 * @throws ConfigError `INVALID_OPTION` when the folder cannot be written to.
 */
export async function changeOutput(
  folder: string,
  files: GeneratedFiles,
  { added, changed, stale }: OutputChanges,
): Promise<void> {
  const written: (readonly [from: string, to: string])[] = [];
  try {
    for (const path of [...added, ...changed]) {
      const to = join(folder, path);
      const from = join(dirname(to), `.${posix.basename(path)}.${process.pid}`);
      await mkdir(dirname(to), { recursive: true });
      written.push([from, to]);
      await writeFile(from, files.get(path) ?? "");
    }
    for (const [from, to] of written) await rename(from, to);
    for (const path of stale) await removeFile(folder, path);
  } catch (cause) {
    for (const [from] of written) await rm(from, { force: true });
    const text = cause instanceof Error ? cause.message : String(cause);
    throw servingError("INVALID_OPTION", `cannot write to ${folder}: ${text}`, { cause });
  }
}

/** Removes a file, and the folders that are empty then. */
async function removeFile(folder: string, path: string): Promise<void> {
  await rm(join(folder, path), { force: true });
  for (let above = posix.dirname(path); above !== "."; above = posix.dirname(above)) {
    try {
      await rmdir(join(folder, above));
    } catch {
      // Something else is in it.
      return;
    }
  }
}
