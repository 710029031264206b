import { readFileSync } from "node:fs";
import { createClient } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { loadDigits } from "../mnist/digits.js";
import { bytesOf, floatsOf } from "./floats.js";

/** How the digits went. */
export interface DigitsReport {
  readonly calls: number;
  /** Part of the answers whose most probable digit is the right one, 0 to 1. */
  readonly accuracy: number;
  readonly callsPerSecond: number;
}

/** One handwritten digit as the model wants it. */
export interface DigitPicture {
  readonly label: number;
  /** Float32, little-endian, `[1, 784]`, 0 is background and 1 is ink. */
  readonly bytes: Uint8Array;
}

const callsInFlight = 8;
const rounds = 5;

/** Reads the digits that the network was never trained on. */
export function readDigits(): readonly DigitPicture[] {
  const digits = loadDigits(readFileSync(new URL("../mnist/data/digits.bin.gz", import.meta.url)));
  return Array.from({ length: digits.count }, (_, index) => ({
    label: digits.label(index),
    bytes: bytesOf(Float32Array.from(digits.pixels(index), (pixel) => pixel / 255)),
  }));
}

/**
 * Has every picture classified five times over, eight calls at a time.
 *
 * @throws CallError when a call fails.
 */
export async function classifyDigits(
  target: string,
  pictures: readonly DigitPicture[],
): Promise<DigitsReport> {
  await using client = createClient(PredictServiceDefinition, { target });
  const calls = rounds * pictures.length;
  let next = 0;
  let right = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const picture = pictures[next++ % pictures.length];
      if (picture === undefined) return;
      const { data } = await client.predict({ data: picture.bytes });
      const probabilities = floatsOf(data);
      if (probabilities.indexOf(Math.max(...probabilities)) === picture.label) right++;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: callsInFlight }, worker));
  const seconds = (performance.now() - started) / 1_000;
  return { calls, accuracy: right / calls, callsPerSecond: calls / seconds };
}
