import { describe, expect, it } from "vitest";
import { PredictRequest } from "../../../gen/inferwire/predict/v1/predict.js";
import { type MessageWriter, messageEncoder } from "../../../src/processor/message-encoder.js";

const messages: readonly Partial<PredictRequest>[] = [
  { service: "a", path: "/b", data: Uint8Array.of(1, 2, 3) },
  {},
  { path: "ü".repeat(5_000) },
  { data: new Uint8Array(200_000).fill(7) },
  { service: "", path: "" },
  { path: "short" },
];

const plain = (message: Partial<PredictRequest>): Uint8Array =>
  PredictRequest.encode(PredictRequest.fromPartial(message)).finish();

// Comparing long lists of numbers takes vitest a second.
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("messageEncoder", () => {
  it("writes what the type itself writes, one message after the other", () => {
    const encode = messageEncoder(PredictRequest);
    for (const message of [...messages, ...messages.toReversed()]) {
      expect(hex(encode(message))).toBe(hex(plain(message)));
    }
  });

  it("does not touch what it has returned before", () => {
    const encode = messageEncoder(PredictRequest);
    const encoded = messages.map((message) => encode(message));
    expect(encoded.map(hex)).toEqual(messages.map((message) => hex(plain(message))));
  });

  it("goes on with the next message after one that could not be written", () => {
    const encode = messageEncoder(PredictRequest);
    const [first = {}] = messages;
    encode(first);
    for (let n = 0; n < 3; n++) {
      // Its path is written before its data fails.
      expect(() => encode({ path: "half", data: { length: 1 } })).toThrow();
      expect(encode(first)).toEqual(plain(first));
    }
  });

  it("writes a message that is encoded while another one is", () => {
    const inner: Uint8Array[] = [];
    const type = {
      encode(message: unknown, writer?: MessageWriter): MessageWriter {
        const { nested, ...rest } = message as Partial<PredictRequest> & { nested?: object };
        if (nested !== undefined) inner.push(encode(nested));
        return PredictRequest.encode(PredictRequest.fromPartial(rest), writer as never);
      },
    };
    const encode = messageEncoder(type);
    encode({ path: "first" });
    expect(encode({ path: "outer", nested: { path: "inner" } })).toEqual(plain({ path: "outer" }));
    expect(inner).toEqual([plain({ path: "inner" })]);
  });

  it("keeps no writer that goes on where it was, as protobufjs's do", () => {
    const given: (MessageWriter | undefined)[] = [];
    const encode = messageEncoder({
      encode(message, writer) {
        given.push(writer);
        const bytes = plain(message as Partial<PredictRequest>);
        return { finish: () => bytes };
      },
    });
    for (const message of messages) expect(hex(encode(message))).toBe(hex(plain(message)));
    expect(given).toEqual(messages.map(() => undefined));
  });

  it.each([
    ["a text", "text"],
    ["a number", 1],
    ["a list", []],
    ["undefined", undefined],
  ])("refuses %s", (_, message) => {
    expect(() => messageEncoder(PredictRequest)(message)).toThrow("a message is an object");
  });
});
