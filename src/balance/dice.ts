/**
 * Throws random numbers for picks without allocating anything.
 *
 * `Math.random` and closures over a seed give doubles, which engines put on the heap when they are handed from function to
 * function; whole numbers of 32 bits they hand over as they are.
 *
 * Source: sfc32 by Chris Doty-Humphrey (PractRand), public domain; its cycle is never shorter than 2^32.
 */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  /** @param random - numbers from 0 up to but not including 1; asked three times, now */
  constructor(random: () => number) {
    this.#a = (random() * 2 ** 32) | 0;
    this.#b = (random() * 2 ** 32) | 0;
    this.#c = (random() * 2 ** 32) | 0;
    for (let round = 0; round < 15; round++) this.throw();
  }

  /** Any signed 32-bit integer, each as likely as every other. */
  throw(): number {
    const thrown = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + thrown) | 0;
    return thrown;
  }
}
