import { FormatError } from "./format-error.js";

/** Strings and tensors that one message may hold, a tensor counted as four strings. */
const MAX_PIECES = 2 ** 20;
const PIECES_OF_TENSOR = 4;

/** Bytes that integers of one message may take. */
const MAX_INTEGER_BYTES = 2 ** 27;

/**
 * What one message may become besides its bulk data. A string of one byte and a tensor without elements take a hundred times more
 * memory than bytes of the message, so a message of millions of them would; a 64-bit integer eight times as much.
 */
export class DecodeBudget {
  #left = MAX_PIECES;
  #integerBytes = MAX_INTEGER_BYTES;

  takeTensor(where: string): void {
    this.takeStrings(PIECES_OF_TENSOR, where);
  }

  takeStrings(count: number, where: string): void {
    this.#left -= count;
    if (this.#left < 0)
      throw new FormatError(
        `${where}: more than ${MAX_PIECES} strings in one message, a tensor counted as ${PIECES_OF_TENSOR}`,
      );
  }

  takeIntegers(count: number, bytesEach: number, where: string): void {
    this.#integerBytes -= count * bytesEach;
    if (this.#integerBytes < 0)
      throw new FormatError(
        `${where}: the integers of one message take more than ${MAX_INTEGER_BYTES} bytes`,
      );
  }
}
