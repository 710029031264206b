import { basename, resolve } from "node:path";
import { checkOneOf } from "../../core/options.js";
import type { CliContext } from "../command.js";
import type { ArchiveFormat } from "./archive.js";
import { namedSecrets, tokenInDescription } from "./named-secrets.js";
import { packList } from "./packed-files.js";
import { writeArchive } from "./write-archive.js";

/** Flags of `pack`. */
export interface PackFlags {
  readonly out?: string;
  readonly format?: string;
  readonly includeSecrets?: boolean;
}

const formats: readonly ArchiveFormat[] = ["tar.gz", "zip"];

/** Packs a folder, and tells what may be a surprise. */
export async function runPack(
  dir: string,
  { out, format: given, includeSecrets = false }: PackFlags,
  { folder, env, terminal, signal }: CliContext,
): Promise<void> {
  const byName: ArchiveFormat = out?.endsWith(".zip") === true ? "zip" : "tar.gz";
  // Checked to be one of the words, whatever the text is.
  const format = checkOneOf((given ?? byName) as ArchiveFormat, "--format", formats);
  const root = resolve(folder, dir);
  const archive = resolve(folder, out ?? `${basename(root)}.${format}`);
  // Of an earlier run in the folder itself, perhaps in another format.
  const earlier = formats.map((name) => resolve(root, `${basename(root)}.${name}`));
  const { files, leftOut, hidden } = await packList(root, {
    includeSecrets,
    without: [archive, ...earlier],
    secrets: namedSecrets(env, folder),
  });
  if (leftOut.length > 0) {
    terminal.note(`left out, for they may hold secrets: ${leftOut.join(", ")}`);
  }
  if (hidden.length > 0) terminal.note(`packed, though hidden: ${hidden.join(", ")}`);
  const withToken = await tokenInDescription(root, files);
  if (withToken !== undefined) terminal.note(`packed with a token in it: ${withToken}`);
  const progress = terminal.progress("packing");
  const onFile = (done: number): void => progress.update(`${done} of ${files.length} files`);
  const written = await writeArchive({ files, out: archive, format, signal, onFile }).finally(() =>
    progress.done(),
  );
  const { bytes, sha256 } = written;
  terminal.result(
    { archive, files: files.map(({ path }) => path), leftOut, hidden, bytes, sha256 },
    `${out ?? basename(archive)}: ${files.length} files, ${bytes} bytes, sha256 ${sha256}`,
  );
}
