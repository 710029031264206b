import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  etcdLeaseIdFromText,
  etcdLeaseIdText,
  holderHash,
} from "../../../src/directory/etcd/etcd-lease-id.js";

const printable = (least: string, minLength: number) =>
  fc.string({
    unit: fc
      .integer({ min: least.charCodeAt(0), max: 0x7e })
      .map((code) => String.fromCharCode(code)),
    minLength,
    maxLength: 128,
  });

describe("etcdLeaseIdText and etcdLeaseIdFromText", () => {
  it("are each other's inverse, whatever the names", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
        fc.constantFrom("mnist", "g.mnist", "a_b-c"),
        printable(" ", 1),
        printable("!", 16),
        (lease, service, name, holder) => {
          const id = { lease, service, name, holder };
          expect(etcdLeaseIdFromText(etcdLeaseIdText(id))).toEqual(id);
        },
      ),
    );
  });

  it.each([
    "",
    "x",
    "1.2",
    "..",
    "zz.bW5pc3QvYQ.holder",
    "1.bW5pc3Q.holder",
    "1.bW5pc3QvYQ.",
    `${"1".repeat(17)}.bW5pc3QvYQ.h`,
  ])("%j was given out by nobody", (text) => {
    expect(etcdLeaseIdFromText(text)).toBeUndefined();
  });
});

describe("holderHash", () => {
  it("is SHA-256 in hex", () => {
    expect(holderHash("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});
