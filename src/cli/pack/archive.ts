import type { PackedFile } from "./packed-files.js";

/** What an archive may be. */
export type ArchiveFormat = "tar.gz" | "zip";

/** Takes the next bytes of an archive. */
export type ArchiveSink = (chunk: Uint8Array) => void;

/** Writes one archive: files one after the other, each with its content in pieces. Speaks to its sink at once. */
export interface ArchiveWriter {
  begin(file: PackedFile): void;
  content(chunk: Uint8Array): void;
  endFile(): void;
  end(): void;
}

/** When everything was changed, so that the same files give the same bytes: the first time that zip can tell. */
export const archiveYear = 1980;

/** Mode of a file in an archive. */
export function modeOf({ executable }: PackedFile): number {
  return executable ? 0o755 : 0o644;
}
