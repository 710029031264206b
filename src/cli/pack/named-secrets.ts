import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isRecord } from "../../core/record.js";
import type { PackedFile } from "./packed-files.js";

/** Variables that name a file with a secret in it. */
const SECRET_FILE = /^INFERWIRE_\w*(?:TOKEN|KEY)_FILE$/;

/** Where service descriptions lie by custom. */
const DESCRIPTION = "app.json";

/** Absolute paths of the files that variables name as those of tokens and keys. */
export function namedSecrets(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): readonly string[] {
  return Object.entries(env).flatMap(([name, path = ""]) =>
    SECRET_FILE.test(name) && path !== "" ? [resolve(folder, path)] : [],
  );
}

/** The service description among the files, if there is one that has a token in it. */
export async function tokenInDescription(
  root: string,
  files: readonly PackedFile[],
): Promise<string | undefined> {
  if (!files.some(({ path }) => path === DESCRIPTION)) return undefined;
  try {
    const description: unknown = JSON.parse(await readFile(join(root, DESCRIPTION), "utf8"));
    return isRecord(description) && typeof description["token"] === "string"
      ? DESCRIPTION
      : undefined;
  } catch {
    // Whether it can be read is not for an archive to judge.
    return undefined;
  }
}
