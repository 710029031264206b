import { Gzip } from "fflate";
import { Header, type HeaderData } from "tar/header";
import { Pax } from "tar/pax";
import { type ArchiveSink, type ArchiveWriter, archiveYear, modeOf } from "./archive.js";
import type { PackedFile } from "./packed-files.js";

const BLOCK_BYTES = 512;

/**
 * Makes a writer of `tar.gz`: no owner, fixed times. Compressed by fflate, which gives the same bytes on every version of Node,
 * as zlib does not.
 */
export function createTarWriter(sink: ArchiveSink): ArchiveWriter {
  // 0 leaves the time out of the header.
  const gzip = new Gzip({ level: 6, mtime: 0 });
  gzip.ondata = sink;
  let written = 0;
  return {
    begin(file) {
      const fields = fieldsOf(file);
      const header = new Header(fields);
      // A path that is too long, or not of ASCII, is in a record of its own in front.
      if (header.encode()) gzip.push(new Pax(fields).encode());
      gzip.push(header.block ?? Buffer.alloc(BLOCK_BYTES));
      written = 0;
    },
    content(chunk) {
      written += chunk.length;
      gzip.push(chunk);
    },
    endFile() {
      gzip.push(new Uint8Array((BLOCK_BYTES - (written % BLOCK_BYTES)) % BLOCK_BYTES));
    },
    end() {
      gzip.push(new Uint8Array(2 * BLOCK_BYTES), true);
    },
  };
}

function fieldsOf(file: PackedFile): HeaderData {
  return {
    path: file.path,
    size: file.bytes,
    mode: modeOf(file),
    type: "File",
    mtime: new Date(Date.UTC(archiveYear, 0, 1)),
  };
}
