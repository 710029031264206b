import { constants } from "node:fs";
import { access, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { servingError } from "../../core/serving-error.js";
import type { CliContext } from "../command.js";

/** A file that a run is written to when it is over. */
export interface ResultFile {
  write(text: string): Promise<void>;
}

/**
 * Makes the folder of a file, and sees whether the file can be written; nothing is in it until it is.
 *
 * @param flag - that names the file, for errors
 * @param path - from the command's folder, or absolute; undefined when the flag was not given
 * @throws ConfigError `INVALID_OPTION` when it cannot.
 */
export async function resultFile(
  flag: string,
  path: string | undefined,
  { folder }: Pick<CliContext, "folder">,
): Promise<ResultFile | undefined> {
  if (path === undefined) return undefined;
  const file = resolve(folder, path);
  const tried = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw servingError("INVALID_OPTION", `${flag} ${path} cannot be written: ${said}`, { cause });
    }
  };
  await tried(() => checkWritable(file));
  return { write: (text) => tried(() => writeFile(file, text)) };
}

async function checkWritable(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await access(dirname(file), constants.W_OK);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return;
  if (found.isDirectory()) throw new Error("it is a folder");
  await access(file, constants.W_OK);
}
