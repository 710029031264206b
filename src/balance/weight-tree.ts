import type { Dice } from "./dice.js";

/**
 * Draws slots (small integers) as often as their weights say.
 *
 * A complete binary tree with the weights as leaves, in which every node holds the sum of its two children: a draw is one way
 * down, a change of weight one way up, and since sums are made anew on that way, nothing drifts, however many changes there
 * are. In such a tree node i has the children 2i and 2i + 1; slot s is leaf `leaves + s`.
 *
 * Rejection (draw any slot, keep it with the probability of its weight by the largest) takes no tree and as many tries as the
 * largest weight is above the mean: thousands, where one instance outweighs many.
 *
 * Reads of the array are cast to `number`: every node is below `2 * leaves`, by construction.
 */
export class WeightTree {
  #sums = new Float64Array(2);
  #leaves = 1;

  /** The sum of all weights. */
  get total(): number {
    return this.#sums[1] as number;
  }

  /** A slot's weight; 0 where nobody is. */
  weightOf(slot: number): number {
    return slot < this.#leaves ? (this.#sums[this.#leaves + slot] as number) : 0;
  }

  /** Makes room for slots below `count`, so that it need not be made step by step. */
  reserve(count: number): void {
    if (count <= this.#leaves) return;
    let leaves = this.#leaves;
    while (leaves < count) leaves *= 2;
    const sums = new Float64Array(2 * leaves);
    sums.set(this.#sums.subarray(this.#leaves), leaves);
    for (let node = leaves - 1; node > 0; node--) {
      sums[node] = (sums[2 * node] as number) + (sums[2 * node + 1] as number);
    }
    this.#sums = sums;
    this.#leaves = leaves;
  }

  /** Sets a slot's weight. */
  set(slot: number, weight: number): void {
    this.reserve(slot + 1);
    const sums = this.#sums;
    let node = this.#leaves + slot;
    sums[node] = weight;
    for (node >>= 1; node > 0; node >>= 1) {
      sums[node] = (sums[2 * node] as number) + (sums[2 * node + 1] as number);
    }
  }

  /**
   * Draws a slot by weight.
   *
   * @param other - a slot that is not to be drawn; -1 for none
   * @returns -1 when there is none to draw
   */
  draw(dice: Dice, other: number): number {
    const sums = this.#sums;
    const leaves = this.#leaves;
    const outLeaf = other < 0 ? 0 : leaves + other;
    const out = other < 0 ? 0 : (sums[outLeaf] as number);
    const total = (sums[1] as number) - out;
    if (!(total > 0)) return -1;
    let rest = ((dice.throw() >>> 0) / 2 ** 32) * total;
    let node = 1;
    // The depth of the leaf that is out, above the node's children.
    let shift = 31 - Math.clz32(leaves);
    while (node < leaves) {
      shift--;
      node *= 2;
      const outHere = outLeaf >> shift;
      const left = (sums[node] as number) - (outHere === node ? out : 0);
      const right = (sums[node + 1] as number) - (outHere === node + 1 ? out : 0);
      // Rounding may leave a little too much: never into a branch where nobody is.
      if (rest >= left && right > 0) {
        rest -= left;
        node++;
      } else if (!(left > 0)) {
        node++;
      }
    }
    return node - leaves;
  }
}
