import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/core/invocation.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { TimeLimit } from "../../../src/core/time-limit.js";
import { createEasDoor } from "../../../src/door/eas-door.js";
import type { Invoker } from "../../../src/door/invoker.js";
import type { HttpReply, HttpRequest } from "../../../src/server/http.js";
import { createFakeClock } from "../../support/fake-clock.js";

type ReplyInPieces = HttpRequest["replyInPieces"];

/** A call that is answered with two pieces, on a request that takes them as `replyInPieces` says. */
async function serve(replyInPieces: ReplyInPieces) {
  const clock = createFakeClock();
  let closed = false;
  const outcome: Outcome = {
    payloads: (async function* () {
      try {
        yield Buffer.from("a");
        yield Buffer.from("b");
      } finally {
        closed = true;
      }
    })(),
    status: 0,
    headers: emptyMetadata,
    trailers: emptyMetadata,
  };
  const statuses: string[] = [];
  const invoker: Invoker = {
    clock,
    requestTime: new TimeLimit(5_000, clock),
    pieceTime: new TimeLimit(60_000, clock),
    maxMessageBytes: 1_000,
    refusal: () => undefined,
    invoke: async () => outcome,
    series: () => ({
      started() {},
      received() {},
      sent() {},
      ended: (_call, status) => statuses.push(status),
    }),
  };
  const replies: HttpReply[] = [];
  const request: HttpRequest = {
    method: "POST",
    path: "/",
    query: "",
    headers: emptyMetadata,
    peer: "127.0.0.1:1",
    arrivedMs: clock.now(),
    readBody: async () => Buffer.from(""),
    reply: (reply) => replies.push(reply),
    replyInPieces,
    breakOff() {},
    onClose() {},
  };
  await createEasDoor(invoker, "POST other")(request, { service: "", path: "/" });
  return { closed, statuses, replies, pending: clock.pending().length };
}

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += Buffer.from(piece).toString();
  return text;
}

describe("createEasDoor, an answer in pieces", () => {
  it("is counted once with its status when its head is out", async () => {
    let text = "";
    const ended = await serve(async (_, pieces) => {
      text = await readAll(pieces);
    });
    expect(text).toBe("ab");
    expect(ended).toMatchObject({ closed: true, statuses: ["200"], replies: [] });
  });

  it("is ended when its caller had left before its head could go out", async () => {
    const ended = await serve(async () => {});
    expect(ended).toMatchObject({ closed: true, statuses: ["499"], replies: [] });
  });

  it("becomes an error when its head cannot go out", async () => {
    const ended = await serve(async () => {
      throw new TypeError("Invalid character in header content");
    });
    expect(ended.closed).toBe(true);
    expect(ended.statuses).toEqual(["500"]);
    expect(ended.replies.map(({ status }) => status)).toEqual([500]);
  });
});
