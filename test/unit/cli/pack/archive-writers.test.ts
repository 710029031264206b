import { gunzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { Header } from "tar/header";
import { describe, expect, it } from "vitest";
import type { ArchiveSink, ArchiveWriter } from "../../../../src/cli/pack/archive.js";
import { createTarWriter } from "../../../../src/cli/pack/tar-writer.js";
import { checkZipFits, createZipWriter } from "../../../../src/cli/pack/zip-writer.js";

const texts = new Map([
  ["a.txt", "a"],
  ["bin/run.sh", "#!/bin/sh\n"],
  ["empty", ""],
]);

/** The bytes of an archive of the texts. */
function archived(create: (sink: ArchiveSink) => ArchiveWriter): Buffer {
  const chunks: Uint8Array[] = [];
  const writer = create((chunk) => chunks.push(chunk));
  for (const [path, text] of texts) {
    const executable = path.endsWith(".sh");
    writer.begin({ path, file: "/nowhere", bytes: text.length, executable });
    // In pieces, as files are read.
    for (const letter of text) writer.content(Buffer.from(letter));
    writer.endFile();
  }
  writer.end();
  return Buffer.concat(chunks);
}

describe("createTarWriter", () => {
  it("writes blocks of 512 bytes, with fixed times, modes, and no owner", () => {
    const tar = gunzipSync(archived(createTarWriter));
    expect(tar.length % 512).toBe(0);
    const header = new Header(tar, 1_024);
    expect(header.path).toBe("bin/run.sh");
    expect(header.mode).toBe(0o755);
    expect(header.uid).toBeUndefined();
    expect(header.mtime?.getTime()).toBe(Date.UTC(1980, 0, 1));
    expect(tar.subarray(1_536, 1_546).toString()).toBe("#!/bin/sh\n");
    expect(tar.subarray(-1_024).every((byte) => byte === 0)).toBe(true);
  });
});

describe("createZipWriter", () => {
  it("writes what a reader of zip finds again", () => {
    const files = unzipSync(archived(createZipWriter));
    expect(
      Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
    ).toEqual([...texts]);
  });

  it("gives the same bytes again", () => {
    expect(archived(createZipWriter).equals(archived(createZipWriter))).toBe(true);
  });
});

describe("checkZipFits", () => {
  const files = (count: number, bytes: number) =>
    Array<{ path: string; bytes: number }>(count).fill({ path: "x", bytes });

  it("refuses more files or bytes than zip can count", () => {
    expect(() => checkZipFits(files(65_536, 0))).toThrow(
      "a zip cannot hold 65536 files, expected at most 65535; use --format tar.gz",
    );
    expect(() => checkZipFits(files(1, 2 ** 32))).toThrow(
      "expected at most 4294967295; use --format",
    );
    expect(() => checkZipFits(files(5, 2 ** 30))).toThrow("a zip cannot hold ");
  });

  it("takes what fits", () => {
    checkZipFits(files(65_535, 1_000));
    checkZipFits(files(3, 2 ** 30));
  });
});
