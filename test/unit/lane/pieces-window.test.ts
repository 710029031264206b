import { describe, expect, it } from "vitest";
import { InboundPieces } from "../../../src/lane/inbound-pieces.js";
import { OutboundPieces } from "../../../src/lane/outbound-pieces.js";
import { flushPromises } from "../../support/fake-clock.js";

const KIB = 1_024;

interface Fixture {
  /** Lengths of the pieces that were sent, in KiB. */
  readonly sent: number[];
  readonly inbound: InboundPieces;
}

/** Pieces of so many KiB, from one end to the other. */
function linked(sizes: readonly number[]): Fixture {
  const sent: number[] = [];
  const pieces = (async function* () {
    for (const size of sizes) yield new Uint8Array(size * KIB);
  })();
  const inbound = new InboundPieces({
    credit: (count, bytes) => outbound.credit(count, bytes),
    stop: () => outbound.stop(),
  });
  const outbound = new OutboundPieces(pieces, {
    piece(bytes) {
      sent.push(bytes.byteLength / KIB);
      inbound.push(bytes);
    },
    end: () => inbound.end(),
    fail: () => {},
  });
  return { sent, inbound };
}

describe("pieces under way", () => {
  it.each([
    ["16 small ones", Array(40).fill(1), 16],
    ["1 MiB", Array(40).fill(256), 4],
    ["one that is larger", Array(4).fill(8_192), 1],
    ["a small one and one that is larger", [1, 8_192, 1], 2],
  ])("are at most %s until their reader takes them", async (_, sizes: number[], count) => {
    const { sent, inbound } = linked(sizes);
    await flushPromises();
    expect(sent).toHaveLength(count);
    const read: number[] = [];
    for await (const piece of inbound) read.push(piece.byteLength / KIB);
    expect(read).toEqual(sizes);
  });

  it("end when their reader stops while one of them waits", async () => {
    const { sent, inbound } = linked([8_192, 8_192, 1]);
    await flushPromises();
    await inbound.return();
    expect(sent).toEqual([8_192]);
  });
});
