import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MetadataView, metadataOf } from "../../../src/core/metadata.js";
import { FrameReader, PREFIX_BYTES, writePrefix } from "../../../src/lane/frame-reader.js";
import {
  type CallHead,
  decodeMessage,
  encodeMessage,
  type LaneMessage,
} from "../../../src/lane/lane-message.js";

/** The frame of a message, in memory of its own. */
function frameOf(message: LaneMessage): Buffer {
  const { head, body } = encodeMessage(message);
  return Buffer.concat([head, body]);
}

/** Metadata as plain pairs, so that views of different kinds compare. */
function comparable(message: LaneMessage): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) => {
      if (value instanceof Map) return [...value];
      if (value instanceof Uint8Array) return [...value];
      if (value === Number.POSITIVE_INFINITY) return "Infinity";
      return isView(value) ? Array.from(value.entries(), ([k, v]) => [k, [...v]]) : value;
    }),
  );
}

function isView(value: unknown): value is MetadataView {
  return typeof value === "object" && value !== null && "entries" in value && "get" in value;
}

const bytes = fc.uint8Array({ maxLength: 100 });
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const status = fc.oneof(fc.constant(0), fc.integer({ min: 200, max: 599 }));
const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const value = fc.oneof(text, bytes);
const metadata = fc
  .array(fc.tuple(fc.string({ maxLength: 10 }), value), { maxLength: 8 })
  .map((pairs) => metadataOf(pairs.map(([key, v]) => [key.replaceAll("\0", ""), v] as const)));
const head: fc.Arbitrary<CallHead> = fc.record({
  door: fc.constantFrom("grpc", "eas"),
  handler: fc.constantFrom("process", "rpc", "function"),
  service: text,
  method: text,
  path: text,
  query: text,
  peer: text,
  requestId: text,
  metadata,
  arrivedMs: fc.double({ noNaN: true, noDefaultInfinity: true }).map((ms) => ms + 0),
  deadlineMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer()),
  callerDeadlineMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer()),
  takesPieces: fc.boolean(),
});
const error = fc.record({
  reason: fc.constant("CANCELLED"),
  code: fc.nat(16),
  message: text,
  details: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean())),
  metadata: fc.constant({ trailers: [["a", "b"] as const] }),
});
const message: fc.Arbitrary<LaneMessage> = fc.oneof(
  fc.record({
    type: fc.constant("call" as const),
    id,
    head,
    payload: fc.option(bytes, { nil: undefined }),
  }),
  fc.record({
    type: fc.constant("answer" as const),
    id,
    status,
    headers: metadata,
    trailers: metadata,
    payload: bytes,
  }),
  fc.record({ type: fc.constant("pieces" as const), id, status }),
  fc.record({ type: fc.constant("headers" as const), id, headers: metadata }),
  fc.record({ type: fc.constant("piece" as const), id, bytes }),
  fc.record({ type: fc.constant("end" as const), id, trailers: metadata }),
  fc.record({ type: fc.constant("error" as const), id, error, aborted: fc.boolean() }),
  fc.record({ type: fc.constant("abort" as const), id, error }),
  fc.record({ type: fc.constant("credit" as const), id, pieces: fc.nat(), bytes: fc.nat() }),
  fc.record({ type: fc.constantFrom("stop" as const, "ask" as const), id }),
  fc.record({ type: fc.constant("says" as const), id, ready: fc.boolean() }),
  fc.record({ type: fc.constant("failed" as const), error }),
  fc.record({ type: fc.constant("ready" as const), checksReady: fc.boolean() }),
  fc.record({ type: fc.constant("tell" as const), bytes }),
  fc.record({
    type: fc.constant("properties" as const),
    values: fc.array(fc.tuple(text, text)).map((pairs) => new Map(pairs)),
  }),
  fc.record({
    type: fc.constant("log" as const),
    level: fc.constantFrom("debug", "info", "warn", "error"),
    message: text,
    fields: fc.dictionary(text, text),
  }),
  fc.record({
    type: fc.constantFrom("ping" as const, "pong" as const, "close" as const, "closed" as const),
  }),
);

describe("encodeMessage and decodeMessage", () => {
  it("give every message back as it was", () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(comparable(decodeMessage(frameOf(given)))).toEqual(comparable(given));
      }),
      { numRuns: 300 },
    );
  });

  it("put the payload on a whole word, so that it can be any typed array", () => {
    fc.assert(
      fc.property(
        fc.record({
          type: fc.constant("answer" as const),
          id,
          status,
          headers: metadata,
          trailers: metadata,
          payload: bytes,
        }),
        (answer) => {
          expect(encodeMessage(answer).head.length % 8).toBe(0);
          expect(encodeMessage(answer).body).toBe(answer.payload);
        },
      ),
    );
  });

  it("carry the order to start", () => {
    const order = {
      module: "file:///a.mjs",
      kind: "thread" as const,
      index: 1,
      count: 2,
      service: "s",
      modelPath: undefined,
      modelConfig: { layers: [1, 2], bytes: Uint8Array.from([1]) },
      properties: new Map([["a", "b"]]),
      exposeErrors: true,
    };
    expect(decodeMessage(frameOf({ type: "start", order }))).toEqual({ type: "start", order });
  });

  it("take half a surrogate pair for U+FFFD, and keep the texts apart", () => {
    const given = {
      type: "end",
      id: 1,
      trailers: metadataOf([
        ["a", "x\ud83d"],
        ["b", "\ude00y"],
      ]),
    };
    const decoded = decodeMessage(frameOf(given as LaneMessage)) as typeof given;
    const [first, second] = [...decoded.trailers.entries()];
    expect([first?.[1].length, second?.[1].length]).toEqual([2, 2]);
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["too little", Buffer.alloc(15)],
    ["more texts than there are bytes", Buffer.from("0800000001000000ffffff00ffffff00", "hex")],
    ["an unknown kind", Buffer.from("c8000000010000000000000000000000", "hex")],
  ])("refuse %s", (_, frame) => {
    expect(() => decodeMessage(frame)).toThrow(expect.objectContaining({ reason: "INTERNAL" }));
  });
});

describe("FrameReader", () => {
  const stream = (frames: readonly Uint8Array[]): Buffer =>
    Buffer.concat(
      frames.flatMap((frame) => {
        const prefix = Buffer.alloc(PREFIX_BYTES);
        writePrefix(prefix, frame.length);
        return [prefix, frame];
      }),
    );

  it("puts frames together again, however the stream is cut", () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 })), (given, cuts) => {
        const read: number[][] = [];
        const reader = new FrameReader((frame) => read.push([...frame]));
        let rest = stream(given);
        for (const cut of cuts) {
          reader.push(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        reader.push(rest);
        expect(read).toEqual(given.map((frame) => [...frame]));
      }),
    );
  });

  it.each([
    ["that has no mark", Buffer.from("printed by accident")],
    ["beyond the largest message", Buffer.from("3e4ae71fffffffff", "hex")],
    ["of no bytes", Buffer.from("3e4ae71f00000000", "hex")],
  ])("refuses a frame %s", (_, chunk) => {
    expect(() => new FrameReader(() => {}).push(chunk)).toThrow(/no frame/);
  });
});
