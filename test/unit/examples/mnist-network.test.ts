import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeDigits, loadDigits } from "../../../examples/mnist/digits.js";
import { loadNetwork } from "../../../examples/mnist/network.js";

const folder = new URL("../../../examples/mnist/data/", import.meta.url);
const weightsFile = readFileSync(new URL("weights.bin", folder));
const digitsFile = readFileSync(new URL("digits.bin.gz", folder));
const network = loadNetwork(weightsFile);
const digits = loadDigits(digitsFile);

function withByte(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = value;
  return copy;
}

describe("loadNetwork", () => {
  it.each([
    ["the magic", withByte(weightsFile, 0, 0), 'starts with "\\u0000WNN", expected "IWNN"'],
    ["the version", withByte(weightsFile, 4, 9), "version 9, expected 1"],
    ["the inputs", withByte(weightsFile, 6, 0), "inputs 768, expected 784"],
    ["the hidden units", withByte(weightsFile, 8, 1), "hidden 257, expected 256"],
    ["the outputs", withByte(weightsFile, 10, 11), "outputs 11, expected 10"],
    ["the length", weightsFile.subarray(0, -1), "has 205407 bytes, expected 205408"],
    ["everything", new Uint8Array(0), "has 0 bytes, expected 205408"],
  ])("refuses a file damaged in %s", (_part, bytes, message) => {
    expect(() => loadNetwork(bytes)).toThrow(message);
  });

  it("reads bytes that are not aligned, and keeps none of them", () => {
    const shifted = new Uint8Array(weightsFile.length + 1);
    shifted.set(weightsFile, 1);
    const loaded = loadNetwork(shifted.subarray(1));
    shifted.fill(0);
    expect(loaded.classify(digits.pixels(0))).toEqual(network.classify(digits.pixels(0)));
  });
});

describe("Network.classify", () => {
  it("is right about at least 96 % of the held-out digits", () => {
    const indexes = [...Array(digits.count).keys()];
    const right = indexes.filter(
      (index) => network.classify(digits.pixels(index)).digit === digits.label(index),
    );
    expect(right.length / digits.count).toBeGreaterThanOrEqual(0.96);
  });

  it("gives ten probabilities of which the largest belongs to the digit", () => {
    const { digit, scores } = network.classify(digits.pixels(0));
    expect(scores).toHaveLength(10);
    expect(scores.reduce((sum, score) => sum + score)).toBeCloseTo(1, 5);
    expect(scores.indexOf(Math.max(...scores))).toBe(digit);
  });

  it("leaves the scores of an earlier call alone", () => {
    const first = network.classify(digits.pixels(0));
    const copy = first.scores.slice();
    network.classify(digits.pixels(1));
    expect(first.scores).toEqual(copy);
  });

  it.each([0, 783, 785])("refuses a picture of %i bytes", (length) => {
    const classify = () => network.classify(new Uint8Array(length));
    expect(classify).toThrow(RangeError);
    expect(classify).toThrow(`picture has ${length} bytes, expected 784 (28 x 28)`);
  });
});

describe("loadDigits", () => {
  it("gives 1,000 digits with 100 of every class", () => {
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < digits.count; index++) {
      counts[digits.label(index)] = (counts[digits.label(index)] ?? 0) + 1;
    }
    expect(counts).toEqual(new Array(10).fill(100));
  });

  it("gives pictures as views of 784 bytes with ink in them", () => {
    expect(digits.pixels(999)).toHaveLength(784);
    expect(Math.max(...digits.pixels(999))).toBeGreaterThan(200);
    expect(digits.pixels(3).buffer).toBe(digits.pixels(4).buffer);
  });

  it("reads what encodeDigits wrote", () => {
    const again = loadDigits(encodeDigits({ ...digits, count: 10 }));
    expect(again.count).toBe(10);
    expect(again.label(7)).toBe(digits.label(7));
    expect(again.pixels(7)).toEqual(digits.pixels(7));
  });

  it.each([-1, 0.5, 1000, Number.NaN])("refuses index %d", (index) => {
    expect(() => digits.label(index)).toThrow(RangeError);
    expect(() => digits.pixels(index)).toThrow(`digit index is ${index}, expected 0 to 999`);
  });

  const unpacked = gunzipSync(digitsFile);
  it.each([
    ["the compression", digitsFile.subarray(0, 1000), "cannot be decompressed, expected gzip"],
    ["the magic", gzipSync(withByte(unpacked, 3, 88)), 'starts with "IWDX", expected "IWDG"'],
    ["the version", gzipSync(withByte(unpacked, 4, 2)), "version 2, expected 1"],
    ["the rows", gzipSync(withByte(unpacked, 6, 27)), "rows 27, expected 28"],
    ["the count", gzipSync(withByte(unpacked, 12, 0)), "has 785016 bytes, expected 602896"],
    ["a label", gzipSync(withByte(unpacked, 16, 10)), "label 10, expected 0 to 9"],
    ["the length", gzipSync(unpacked.subarray(0, 8)), "has 8 bytes, expected at least 16"],
  ])("refuses a file damaged in %s", (_part, bytes, message) => {
    expect(() => loadDigits(bytes)).toThrow(message);
  });
});

describe("data/README.md", () => {
  it.each([
    ["weights.bin", weightsFile],
    ["digits.bin.gz", digitsFile],
  ])("names the digest of the committed %s", (_name, bytes) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(readFileSync(new URL("README.md", folder), "utf8")).toContain(sha256);
  });
});
