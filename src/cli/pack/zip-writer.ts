import { Zip, ZipDeflate } from "fflate";
import { servingError } from "../../core/serving-error.js";
import { type ArchiveSink, type ArchiveWriter, archiveYear, modeOf } from "./archive.js";
import type { PackedFile } from "./packed-files.js";

/** Unix, so that modes count. */
const MADE_BY_UNIX = 3;
const REGULAR_FILE = 0o100_000;

/** What zip counts in two bytes, and in four; what goes beyond needs an extension that the writer does not have. */
const MAX_FILES = 65_535;
const MAX_BYTES = 2 ** 32 - 1;
/** Of a file, in front of it and in the list at the end: more than there are, without its names. */
const HEADER_BYTES = 128;

/**
 * Checks that files fit into a zip, whatever comes of compressing them.
 *
 * @throws ConfigError `INVALID_OPTION`.
 */
export function checkZipFits(files: readonly Pick<PackedFile, "path" | "bytes">[]): void {
  if (files.length > MAX_FILES) {
    throw unfit(`${files.length} files, expected at most ${MAX_FILES}`);
  }
  let total = 0;
  for (const { path, bytes } of files) {
    // What cannot be compressed gets five bytes more for at least 32 KiB.
    total += bytes + Math.ceil(bytes / 4_096) + HEADER_BYTES + 2 * Buffer.byteLength(path);
  }
  if (total > MAX_BYTES) throw unfit(`${total} bytes, expected at most ${MAX_BYTES}`);
}

function unfit(seen: string): Error {
  return servingError("INVALID_OPTION", `a zip cannot hold ${seen}; use --format tar.gz`);
}

/** Makes a writer of zip. */
export function createZipWriter(sink: ArchiveSink): ArchiveWriter {
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    sink(chunk);
  });
  let current: ZipDeflate | undefined;
  return {
    begin(file) {
      current = new ZipDeflate(file.path, { level: 6 });
      current.os = MADE_BY_UNIX;
      current.attrs = (REGULAR_FILE | modeOf(file)) << 16;
      // Zip tells local time: the same fields everywhere.
      current.mtime = new Date(archiveYear, 0, 1);
      zip.add(current);
    },
    content: (chunk) => current?.push(chunk),
    endFile: () => current?.push(new Uint8Array(0), true),
    end: () => zip.end(),
  };
}
