import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { CompressionName } from "../../../src/compression/body-codec.js";
import { loadCodec } from "../../../src/compression/load-codec.js";

const names: readonly CompressionName[] = ["gzip", "zlib", "snappy", "lz4", "lz4-frame", "zstd"];
const MiB = 1024 * 1024;
const text = Buffer.from(`${"abc".repeat(60)}the quick brown fox`);
const roomy = { maxBytes: 4 * MiB };

async function compressed(name: CompressionName, body: Uint8Array): Promise<Buffer> {
  return Buffer.from(await (await loadCodec(name)).compress(body));
}

async function decompressed(
  name: CompressionName,
  body: Uint8Array,
  options: { maxBytes: number; originalBytes?: number } = roomy,
): Promise<Uint8Array> {
  return (await loadCodec(name)).decompress(body, options);
}

/** What other programs wrote: Python's gzip and zlib, python-snappy, cramjam, python-lz4, python-zstandard. */
const golden: readonly (readonly [what: string, name: CompressionName, hex: string])[] = [
  [
    "gzip: python's gzip",
    "gzip",
    "1f8b08000000000002034b4c4a4e1c6aa8242355a1b03433395b21a928bf3c4f212dbf02003cbd31f0c7000000",
  ],
  [
    "gzip: two members",
    "gzip",
    "1f8b08000000000002034b4c4a4ea4350200c123d7a5640000001f8b08000000000002034b4a4e4ca2262ac94855282ccd4cce56482aca2fcf5348cbaf00001b5f6b0163000000",
  ],
  [
    "zlib: python's zlib",
    "zlib",
    "789c4b4c4a4e1c6aa8242355a1b03433395b21a928bf3c4f212dbf0200c2b94c1c",
  ],
  [
    "snappy: python-snappy",
    "snappy",
    "c70108616263fe0300fe0300c203004874686520717569636b2062726f776e20666f78",
  ],
  [
    "snappy: cramjam",
    "snappy",
    "c70108616263fe0300fe0300c203004874686520717569636b2062726f776e20666f78",
  ],
  ["lz4: raw block", "lz4", "3f61626303009ef00474686520717569636b2062726f776e20666f78"],
  [
    "lz4: frame",
    "lz4",
    "04224d186840c7000000000000005c1c0000003f61626303009ef00474686520717569636b2062726f776e20666f7800000000",
  ],
  [
    "lz4-frame: as Java's, 64 KB independent blocks with both checksums",
    "lz4-frame",
    "04224d187440bd1c0000003f61626303009ef00474686520717569636b2062726f776e20666f782eb5cecd0000000002aff49b",
  ],
  [
    "lz4-frame: linked blocks with content size",
    "lz4-frame",
    "04224d186c40c700000000000000c61c0000003f61626303009ef00474686520717569636b2062726f776e20666f780000000002aff49b",
  ],
  [
    "lz4-frame: two frames",
    "lz4-frame",
    "04224d1868406400000000000000230d0000003f6162630300495063616263610000000004224d1868406300000000000000381c0000003f62636103003af00474686520717569636b2062726f776e20666f7800000000",
  ],
  [
    "zstd: content size",
    "zstd",
    "28b52ffd20c7ed0000b061626374686520717569636b2062726f776e20666f7801002e293704",
  ],
  [
    "zstd: content size and checksum",
    "zstd",
    "28b52ffd24c7ed0000b061626374686520717569636b2062726f776e20666f7801002e29370471670d4e",
  ],
  [
    "zstd: streamed, of unknown length, with checksum",
    "zstd",
    "28b52ffd0458ed0000b061626374686520717569636b2062726f776e20666f7801002e29370471670d4e",
  ],
  [
    "zstd: two frames",
    "zstd",
    "28b52ffd20644d0000186162630100eee48628b52ffd2063e50000b062636174686520717569636b2062726f776e20666f7801002aea86",
  ],
  [
    "zstd: a skipped frame first",
    "zstd",
    "502a4d180300000061626328b52ffd20c7ed0000b061626374686520717569636b2062726f776e20666f7801002e293704",
  ],
];

describe("loadCodec", () => {
  it("refuses a name that there is none of", async () => {
    await expect(loadCodec("brotli" as never)).rejects.toThrow(
      'compression is "brotli", expected one of gzip, zlib, snappy, lz4, lz4-frame, zstd',
    );
    await expect(loadCodec("toString" as never)).rejects.toMatchObject({
      reason: "INVALID_OPTION",
    });
  });

  it.each(names)("%s gives back what it was given, and touches neither", async (name) => {
    for (const body of [text, Buffer.alloc(3 * MiB, "ab"), randomBytes(300_000), Buffer.of(7)]) {
      const before = digest(body);
      const small = await compressed(name, body);
      const smallBefore = digest(small);
      const back = await decompressed(name, small);
      expect(digest(back)).toBe(before);
      expect([digest(body), digest(small)]).toEqual([before, smallBefore]);
    }
  });

  it.each(names)(
    "%s takes an empty body, and an empty body compressed, for empty",
    async (name) => {
      const empty = new Uint8Array(0);
      expect(await decompressed(name, empty)).toHaveLength(0);
      expect(await decompressed(name, await compressed(name, empty))).toHaveLength(0);
      expect(await decompressed(name, await compressed(name, empty), { maxBytes: 0 })).toHaveLength(
        0,
      );
    },
  );

  it.each(golden)("reads %s", async (_, name, hex) => {
    expect(Buffer.from(await decompressed(name, Buffer.from(hex, "hex"))).toString()).toBe(
      text.toString(),
    );
  });

  it.each(golden)("takes neither a part of %s nor more than it", async (what, name, hex) => {
    const body = Buffer.from(hex, "hex");
    // Whole members and frames are bodies of their own.
    const whole = what.includes("two") || what.includes("first");
    for (let end = 1; end < body.length; end++) {
      const cut = decompressed(name, body.subarray(0, end)).then(
        (part) => Buffer.from(part).toString(),
        (error) => error.reason,
      );
      if (!whole) expect([end, await cut]).toEqual([end, "MALFORMED_REQUEST"]);
      else if ((await cut) !== "MALFORMED_REQUEST") expect(text.toString()).toContain(await cut);
    }
    for (const more of ["x", "\0\0\0\0", "xxxxxxxxxxxxxxxxxxxxxxxx"]) {
      await expect(decompressed(name, Buffer.concat([body, Buffer.from(more)]))).rejects.toThrow(
        `the body is no ${name}: `,
      );
    }
  });

  it.each(golden.filter(([what]) => /checksum|gzip: p|zlib/.test(what)))(
    "notices a wrong checksum of %s",
    async (_, name, hex) => {
      const body = Buffer.from(hex, "hex");
      const at = body.length - (name === "gzip" ? 8 : 1);
      body[at] = (body[at] ?? 0) ^ 1;
      await expect(decompressed(name, body)).rejects.toMatchObject({ reason: "MALFORMED_REQUEST" });
    },
  );

  it.each(names)("%s refuses what it did not write, naming itself", async (name) => {
    const wrong = names.filter(
      (other) => other !== name && !(name === "lz4" && other === "lz4-frame"),
    );
    for (const other of wrong) {
      const body = await compressed(other, text);
      await expect(decompressed(name, body)).rejects.toMatchObject({
        reason: "MALFORMED_REQUEST",
        message: expect.stringContaining(`the body is no ${name}: `),
      });
    }
    await expect(decompressed(name, Buffer.from('{"n": 1}'))).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
    });
  });

  it("lz4 reads frames as well as raw blocks", async () => {
    const frame = await compressed("lz4-frame", text);
    expect(Buffer.from(await decompressed("lz4", frame)).equals(text)).toBe(true);
  });

  it("lz4 holds a raw block to the length that is told beside it", async () => {
    const block = await compressed("lz4", text);
    expect(await decompressed("lz4", block, { ...roomy, originalBytes: 199 })).toHaveLength(199);
    await expect(decompressed("lz4", block, { ...roomy, originalBytes: 200 })).rejects.toThrow(
      "it gives 199 bytes, expected 200",
    );
  });
});

describe("a codec's limit", () => {
  it.each(names)("of %s is met to the byte", async (name) => {
    const body = await compressed(name, Buffer.alloc(100_000, "abcdefg"));
    expect(await decompressed(name, body, { maxBytes: 100_000 })).toHaveLength(100_000);
    for (const maxBytes of [99_999, 1, 0]) {
      await expect(decompressed(name, body, { maxBytes })).rejects.toMatchObject({
        reason: "MESSAGE_TOO_LARGE",
        message: expect.stringContaining(`${maxBytes} bytes`),
      });
    }
  });

  it.each(names)("of %s stops a bomb", async (name) => {
    const bomb = await compressed(name, Buffer.alloc(64 * MiB));
    expect(bomb.length).toBeLessThan(4 * MiB);
    await expect(decompressed(name, bomb)).rejects.toMatchObject({ reason: "MESSAGE_TOO_LARGE" });
  });

  it.each(["gzip", "lz4-frame", "zstd"] as const)(
    "of %s counts all members or frames together",
    async (name) => {
      const one = await compressed(name, Buffer.alloc(MiB));
      const many = (count: number) => Buffer.concat(Array.from({ length: count }, () => one));
      expect(await decompressed(name, many(4))).toHaveLength(4 * MiB);
      await expect(decompressed(name, many(5))).rejects.toMatchObject({
        reason: "MESSAGE_TOO_LARGE",
      });
    },
  );

  it.each(["lz4", "lz4-frame"] as const)(
    "of %s holds for frames too, however small",
    async (name) => {
      const frame = await compressed("lz4-frame", Buffer.from("x"));
      const many = (count: number) => Buffer.concat(Array.from({ length: count }, () => frame));
      expect(await decompressed(name, many(1_024))).toHaveLength(1_024);
      await expect(decompressed(name, many(1_025))).rejects.toMatchObject({
        reason: "MALFORMED_REQUEST",
        message: `the body is no ${name}: it is made of more than 1024 frames`,
      });
    },
  );

  const lies: readonly (readonly [string, CompressionName, string, string])[] = [
    ["a Snappy block that claims 4 GiB", "snappy", "ffffffff0f00", "MALFORMED_REQUEST"],
    ["a Snappy block that claims 2^35 bytes", "snappy", "ffffffff7f00", "MALFORMED_REQUEST"],
    ["a Snappy block without a length", "snappy", "ffffffffffff", "MALFORMED_REQUEST"],
    [
      "an LZ4 block of 1 MB of literals that are not there",
      "lz4",
      `f0${"ff".repeat(4_000)}00`,
      "MALFORMED_REQUEST",
    ],
    ["an LZ4 match from before the beginning", "lz4", "1061ffff5061626364650", "MALFORMED_REQUEST"],
    [
      "an LZ4 frame with blocks of 2 GiB",
      "lz4",
      "04224d1864409cffffff7f00000000",
      "MALFORMED_REQUEST",
    ],
    [
      "a zstd frame that claims 2^63 bytes",
      "zstd",
      "28b52ffde0000000000000008001000061",
      "MALFORMED_REQUEST",
    ],
    [
      "a zstd frame of unknown length with a block of 2 MiB",
      "zstd",
      "28b52ffd0088fbffff61",
      "MALFORMED_REQUEST",
    ],
    [
      "a zstd frame with a window of 3.75 TiB and nothing in it",
      "zstd",
      "28b52ffd00ff010000",
      "MALFORMED_REQUEST",
    ],
    [
      "a zstd frame that wants a dictionary",
      "zstd",
      "28b52ffd2101010900006162",
      "MALFORMED_REQUEST",
    ],
  ];
  it.each(lies)("%s is refused", async (_, name, hex, reason) => {
    await expect(decompressed(name, Buffer.from(hex, "hex"))).rejects.toMatchObject({ reason });
  });
});

function digest(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
