import { type Answer, encode, type Packet } from "dns-packet";
import { describe, expect, it } from "vitest";
import {
  isReplyTo,
  questionToBytes,
  replyFromBytes,
} from "../../../src/resolve/dns/dns-message.js";

const question = { type: "A", name: "Mnist.test", class: "IN" } as const;
const asked = questionToBytes(4_711, "mnist.test", "A");
const own: Answer = { type: "A", name: "mnist.test", ttl: 5, class: "IN", data: "10.0.0.1" };
const AUTHORITATIVE = 1 << 10;

function reply(more: Packet = {}): Buffer {
  const packet: Packet = { type: "response", id: 4_711, flags: AUTHORITATIVE };
  return encode({ ...packet, questions: [question], answers: [own], ...more });
}

/** The same bytes with one 16-bit word changed. */
function patched(bytes: Buffer, at: number, word: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(word, at);
  return copy;
}

describe("isReplyTo", () => {
  it("knows the reply, whatever the case of the name", () => {
    expect(isReplyTo(asked, reply())).toBe(true);
  });

  it.each<[string, Uint8Array]>([
    ["another id", reply({ id: 4_712 })],
    ["a question", reply({ type: "query" })],
    ["another name", reply({ questions: [{ ...question, name: "mnisT.tesu" }] })],
    ["a longer name", reply({ questions: [{ ...question, name: "mnist.test.evil" }] })],
    ["another type", reply({ questions: [{ ...question, type: "AAAA" }] })],
    ["another class", reply({ questions: [{ ...question, class: "CH" }] })],
    ["two questions", reply({ questions: [question, question] })],
    ["no question, and no failure", reply({ questions: [] })],
    ["another opcode", reply({ flags: 5 << 11 })],
    ["a header alone", reply().subarray(0, 12)],
    ["less than a header", reply().subarray(0, 11)],
    ["nothing", new Uint8Array()],
  ])("takes no %s for it", (_, bytes) => {
    expect(isReplyTo(asked, bytes)).toBe(false);
  });

  it("lets a failure come without the question", () => {
    expect(isReplyTo(asked, reply({ questions: [], answers: [], flags: 2 }))).toBe(true);
  });
});

describe("replyFromBytes", () => {
  it("reads what it knows, with names in one form, and leaves out the rest", () => {
    const { code, vouches, truncated, answers, additionals } = replyFromBytes(
      reply({
        answers: [
          { type: "CNAME", name: "MNIST.test", ttl: 2 ** 32 - 1, data: "a.test" },
          { type: "TXT", name: "mnist.test", ttl: 1, data: "x" },
          { ...own, class: "CH" },
          {
            type: "SRV",
            name: "mnist.test",
            ttl: 7,
            data: { priority: 1, weight: 2, port: 3, target: "b.test" },
          },
        ],
        additionals: [{ type: "AAAA", name: "b.test", ttl: 9, data: "fd00::1" }],
      }),
    );
    expect([code, vouches, truncated]).toEqual([0, true, false]);
    expect(answers).toEqual([
      { type: "CNAME", name: "mnist.test", ttlSeconds: 0, data: "a.test" },
      {
        type: "SRV",
        name: "mnist.test",
        ttlSeconds: 7,
        data: { priority: 1, weight: 2, port: 3, target: "b.test" },
      },
    ]);
    expect(additionals).toEqual([{ type: "AAAA", name: "b.test", ttlSeconds: 9, data: "fd00::1" }]);
  });

  it("reads code and flags", () => {
    expect(replyFromBytes(reply({ flags: 3 }))).toMatchObject({ code: 3, vouches: false });
    expect(replyFromBytes(reply({ flags: 1 << 7 }))).toMatchObject({ vouches: true });
    expect(replyFromBytes(reply({ flags: 1 << 9 }))).toMatchObject({ truncated: true });
  });

  const name = 12;
  it.each<[string, Buffer]>([
    ["more records than there are", patched(reply(), 6, 65_535)],
    ["a name that points to itself", patched(reply(), name, 0xc000 | name)],
    ["a name that points ahead", patched(reply(), name, 0xc000 | 40)],
    ["a label of a kind that is not", patched(reply(), name, 0x8000)],
    ["half a message", reply().subarray(0, 30)],
  ])("refuses %s", (_, bytes) => {
    expect(() => replyFromBytes(bytes)).toThrow(
      expect.objectContaining({ reason: "UPSTREAM_MALFORMED" }),
    );
  });

  it("refuses a chain of pointers before it walks it for each of thousands of names", () => {
    const bytes = Buffer.alloc(65_535);
    reply().copy(bytes);
    bytes.writeUInt16BE(5_000, 6);
    const start = reply().length;
    for (let at = start; at < 0x3ffe; at += 2) bytes.writeUInt16BE(0xc000 | (at - 2), at);
    expect(() => replyFromBytes(bytes)).toThrow("more than 48 labels and pointers");
  });
});
