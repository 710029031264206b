import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { type BodyBudget, createBodyBudget } from "../../../src/server/body-budget.js";
import { BodyReader } from "../../../src/server/body-reader.js";
import type { ReadBodyOptions } from "../../../src/server/http.js";
import { flushPromises } from "../../support/fake-clock.js";

/** Reads a body that arrives in these pieces. */
function read(
  pieces: readonly Uint8Array[],
  options: ReadBodyOptions = {},
  budget: BodyBudget = createBodyBudget(1e9),
) {
  const request = Object.assign(new PassThrough(), { headers: {} });
  const reader = new BodyReader(request as object as IncomingMessage, budget, {
    ...options,
    maxBytes: options.maxBytes ?? 1e9,
  });
  const body = reader.read();
  for (const piece of pieces) request.write(piece);
  request.end();
  return body;
}

function counted(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => i % 251));
}

function cut(body: Buffer, at: readonly number[]): readonly Buffer[] {
  const ends = [...at, body.length];
  return ends.map((end, i) => body.subarray(ends[i - 1] ?? 0, end));
}

describe("BodyReader", () => {
  const body = counted(5_000);

  it.each([
    ["two pieces", [1_500]],
    ["many", [10, 20, 30, 1_000, 4_000]],
    ["several hundred", Array.from({ length: 600 }, (_, i) => i + 1)],
  ])("joins %s so that the bulk is aligned", async (_, at) => {
    for (const bulk of [0, 1, 7, 8, 13, 1_000]) {
      const heads: Uint8Array[] = [];
      const joined = await read(cut(body, at), {
        bulkOffset: (head) => {
          heads.push(head);
          return bulk;
        },
      });
      expect((joined.byteOffset + bulk) % 8).toBe(0);
      expect(Buffer.compare(joined, body)).toBe(0);
      expect(heads).toHaveLength(1);
      const [head = Buffer.alloc(0)] = heads;
      expect(head.length).toBeGreaterThanOrEqual(1_024);
      expect(Buffer.compare(head, body.subarray(0, head.length))).toBe(0);
      // Nothing else shares its memory, and little of it is unused.
      expect(joined.buffer.byteLength - joined.byteLength).toBeLessThan(8);
    }
  });

  it("shows all of a short body, and copies no more of one whose first piece is tiny", async () => {
    let shown = 0;
    const bulkOffset = (head: Uint8Array) => {
      shown = head.length;
      return undefined;
    };
    await read(cut(body.subarray(0, 500), [100]), { bulkOffset });
    expect(shown).toBe(500);
    await read(cut(body, [1]), { bulkOffset });
    expect(shown).toBe(1_024);
  });

  it("hands a body in one piece on as it is", async () => {
    const joined = await read([body], { bulkOffset: () => 3 });
    expect(joined.buffer).toBe(body.buffer);
  });

  it("counts a body as being received until it is decoded, also when that fails", async () => {
    const budget = createBodyBudget(5_000);
    for (const failure of [undefined, new Error("no good")]) {
      let end = (): void => {};
      const decoding = new Promise<void>((resolve) => {
        end = resolve;
      });
      const decode = async (sent: Uint8Array) => {
        await decoding;
        if (failure !== undefined) throw failure;
        return Buffer.from(`${sent.length}`);
      };
      const reading = read([body], { decode }, budget).then(String, (e: Error) => e.message);
      await flushPromises();
      expect(() => budget.take(1)).toThrow("bodies being received hold 5000 bytes");
      end();
      expect(await reading).toBe(failure === undefined ? "5000" : "no good");
      budget.take(5_000);
      budget.give(5_000);
    }
  });

  it("gives the budget back once, also of what was dropped", async () => {
    const budget = createBodyBudget(5_000);
    await expect(read([body], { maxBytes: 4_999 }, budget)).rejects.toMatchObject({
      reason: "MESSAGE_TOO_LARGE",
    });
    await read([body], {}, budget);
    budget.take(5_000);
    expect(() => budget.take(1)).toThrow("hold 5000 bytes");
  });
});
