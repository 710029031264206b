/**
 * Ranks a key for breaking ties: the same for the same key and seed, in an order that looks random and differs
 * from seed to seed.
 *
 * A hash rather than a draw per instance, so that ties do not depend on the order in which instances were
 * listed or joined. 53 bits, because a double holds them exactly and 32 would collide among ten thousand keys.
 *
 * Source: cyrb53 (public domain), two multiply-xor lanes with the final mix of MurmurHash3.
 *
 * @param seed - an unsigned 32-bit integer
 * @returns an integer from 0 to 2^53 - 1
 */
export function tieRank(key: string, seed: number): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ Math.imul(seed, 0x9e3779b1);
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (low & 0x1fffff) * 0x1_0000_0000 + (high >>> 0);
}
