import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { servingError } from "../../core/serving-error.js";
import type { ArchiveFormat, ArchiveWriter } from "./archive.js";
import type { PackedFile } from "./packed-files.js";
import { createTarWriter } from "./tar-writer.js";
import { checkZipFits, createZipWriter } from "./zip-writer.js";

/** An archive that was written. */
export interface WrittenArchive {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

const writers = { "tar.gz": createTarWriter, zip: createZipWriter } as const;

/** Compressed bytes that wait for the disk before more are made. */
const MAX_WAITING_BYTES = 4 * 2 ** 20;

/**
 * Writes files into an archive, under another name until it is whole.
 *
 * @param onFile - told how many are done
 * @throws ConfigError `INVALID_OPTION` when it cannot be written, or a file changes meanwhile; CANCELLED by the signal.
 */
export async function writeArchive(options: {
  readonly files: readonly PackedFile[];
  readonly out: string;
  readonly format: ArchiveFormat;
  readonly signal: AbortSignal;
  readonly onFile: (done: number) => void;
}): Promise<WrittenArchive> {
  const { files, out, format, signal, onFile } = options;
  if (format === "zip") checkZipFits(files);
  const scratch = `${out}.${process.pid}.new`;
  try {
    await mkdir(dirname(out), { recursive: true });
    const target = await open(scratch, "w");
    try {
      const sink = new HashedSink((chunk) => target.writeFile(chunk));
      const writer = writers[format]((chunk) => sink.take(chunk));
      for (const [done, file] of files.entries()) {
        signal.throwIfAborted();
        await writeFile(writer, file, sink);
        onFile(done + 1);
      }
      writer.end();
      await sink.flush();
      await target.close();
      await rename(scratch, out);
      return sink.result();
    } finally {
      await target.close();
    }
  } catch (cause) {
    // It may be the folder that cannot be had.
    await rm(scratch, { force: true }).catch(() => {});
    throw failure(cause, out);
  }
}

function failure(cause: unknown, out: string): unknown {
  const { code } = cause as { readonly code?: unknown };
  if (typeof code !== "string" || !code.startsWith("E")) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return servingError("INVALID_OPTION", `cannot write ${out}: ${text}`, { cause });
}

async function writeFile(writer: ArchiveWriter, file: PackedFile, sink: HashedSink): Promise<void> {
  writer.begin(file);
  let bytes = 0;
  for await (const chunk of createReadStream(file.file)) {
    bytes += (chunk as Buffer).length;
    if (bytes > file.bytes) break;
    writer.content(chunk as Buffer);
    if (sink.waitingBytes > MAX_WAITING_BYTES) await sink.flush();
  }
  if (bytes !== file.bytes) {
    throw servingError("INVALID_OPTION", `${file.path} has changed while it was packed; try again`);
  }
  writer.endFile();
  await sink.flush();
}

/** Collects what a writer makes at once, and hands it on. */
class HashedSink {
  readonly #hash = createHash("sha256");
  readonly #write: (chunk: Uint8Array) => Promise<void>;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  waitingBytes = 0;

  constructor(write: (chunk: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  take(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.waitingBytes += chunk.length;
  }

  async flush(): Promise<void> {
    const chunk = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.waitingBytes = 0;
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
    await this.#write(chunk);
  }

  result(): WrittenArchive {
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
}
