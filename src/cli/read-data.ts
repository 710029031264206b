import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { servingError } from "../core/serving-error.js";
import type { CliContext } from "./command.js";

/**
 * Reads what `--data` gives: a text, `@FILE`, or `@-` for all of stdin.
 *
 * @throws ConfigError `INVALID_OPTION` for a file that cannot be read.
 */
export async function readData(data: string, context: CliContext): Promise<Uint8Array> {
  if (data === "@-") return await buffer(context.stdin());
  if (!data.startsWith("@")) return Buffer.from(data);
  const path = data.slice(1);
  try {
    return await readFile(resolve(context.folder, path));
  } catch (cause) {
    throw servingError("INVALID_OPTION", `--data names ${path}, which is unreadable`, { cause });
  }
}
