import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";

/** Generated files by their path with slashes, relative to the folder that they go to; sorted. */
export type GeneratedFiles = ReadonlyMap<string, Buffer>;

/** First line of every file that is written: what does not have it is never overwritten nor removed. */
const MARK = "// Written by inferwire generate. DO NOT EDIT.\n";

/** Tells whether a file was written by this command. */
export function isMarked(content: Buffer): boolean {
  return content.subarray(0, MARK.length).toString() === MARK;
}

/** Reads what generators have written, and marks it. */
export async function readGenerated(folder: string): Promise<GeneratedFiles> {
  const files = new Map<string, Buffer>();
  for (const path of await filesBelow(folder)) {
    const content = await readFile(join(folder, path));
    files.set(path, Buffer.concat([Buffer.from(MARK), content]));
  }
  return files;
}

/** Lists the files below a folder with slashes, sorted; none when there is no such folder. Follows no links. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const list = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const inner = posix.join(path, entry.name);
      if (entry.isFile()) found.push(inner);
      if (entry.isDirectory() && entry.name !== "node_modules") await list(inner);
    }
  };
  await list("");
  return found.sort();
}

const IMPORT = /\bfrom "(\.{1,2}\/[^"]+)\.js"/g;

/**
 * Leaves out what nobody needs: of the generators' output for protos that the user's import, only what the code of the user's
 * imports itself is wanted. Options of the kit, for one, leave nothing behind in code.
 *
 * @param isWanted - whether a file is wanted for its own sake
 */
export function withoutUnneeded(
  files: GeneratedFiles,
  isWanted: (path: string) => boolean,
): GeneratedFiles {
  const wanted = new Set<string>();
  const take = (path: string): void => {
    const content = files.get(path);
    if (content === undefined || wanted.has(path)) return;
    wanted.add(path);
    for (const [, name = ""] of content.toString().matchAll(IMPORT)) {
      take(posix.join(posix.dirname(path), `${name}.ts`));
    }
  };
  for (const path of files.keys()) if (isWanted(path)) take(path);
  return new Map([...files].filter(([path]) => wanted.has(path)));
}
