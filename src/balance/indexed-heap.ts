/**
 * A min-heap of slots (small integers) ordered by a number each, with removal by slot.
 *
 * Four children a node and the keys beside the slots in typed arrays: a way down touches half as many cache
 * lines as in a binary heap, and nothing is allocated but in {@link IndexedHeap.grow}. For the same reason a key
 * is not passed with its slot but read from an array: engines box numbers that they pass to a function. Equal
 * keys are ordered by the slots' ranks, so with distinct ranks the order is total: what comes out does not depend
 * on the order in which it went in.
 *
 * Reads of typed arrays are cast to `number` in this file: every place is below `size` and every slot below the
 * length given to `grow`, by construction.
 */
export class IndexedHeap {
  /** By place: the key and the slot there. */
  #keys = new Float64Array(0);
  #slots = new Int32Array(0);
  /** By slot: its place, or -1. */
  #places = new Int32Array(0);
  #keyOf: Float64Array = this.#keys;
  #rankOf: Float64Array = this.#keys;
  #size = 0;

  /** How many slots are in the heap. */
  get size(): number {
    return this.#size;
  }

  /** The slot with the smallest key; -1 when the heap is empty. */
  get top(): number {
    return this.#size === 0 ? -1 : (this.#slots[0] as number);
  }

  /** Whether a slot is in the heap. */
  has(slot: number): boolean {
    return (this.#places[slot] as number) >= 0;
  }

  /**
   * Makes room for more slots. The arrays are kept, not copied.
   *
   * @param keyOf - by slot: its key; must not change while the slot is in the heap
   * @param rankOf - by slot: orders equal keys; must not change while the slot is in the heap either
   */
  grow(keyOf: Float64Array, rankOf: Float64Array): void {
    const keys = new Float64Array(keyOf.length);
    const slots = new Int32Array(keyOf.length);
    const places = new Int32Array(keyOf.length).fill(-1);
    keys.set(this.#keys);
    slots.set(this.#slots);
    places.set(this.#places);
    this.#keys = keys;
    this.#slots = slots;
    this.#places = places;
    this.#keyOf = keyOf;
    this.#rankOf = rankOf;
  }

  /** Puts in a slot that is not in the heap. */
  push(slot: number): void {
    this.#rise(this.#size++, slot);
  }

  /** Takes out the slot with the smallest key; -1 when the heap is empty. */
  pop(): number {
    const slot = this.top;
    if (slot >= 0) this.remove(slot);
    return slot;
  }

  /** Takes out a slot; one that is not in the heap is ignored. */
  remove(slot: number): void {
    const place = this.#places[slot] as number;
    if (place < 0) return;
    this.#places[slot] = -1;
    const last = --this.#size;
    if (place === last) return;
    // The last one fills the hole and may belong above it as well as below.
    const moved = this.#slots[last] as number;
    this.#rise(place, moved);
    if (this.#slots[place] === moved) this.#sink(place, moved);
  }

  /** Takes everything out. */
  clear(): void {
    this.#places.fill(-1);
    this.#size = 0;
  }

  #rise(from: number, slot: number): void {
    const key = this.#keyOf[slot] as number;
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 2;
      const other = this.#keys[parent] as number;
      if (key > other || (key === other && !this.#outranks(slot, parent))) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, slot);
  }

  #sink(from: number, slot: number): void {
    const key = this.#keyOf[slot] as number;
    let hole = from;
    for (;;) {
      const child = this.#leastChild(hole);
      if (child < 0) break;
      const other = this.#keys[child] as number;
      if (key < other || (key === other && this.#outranks(slot, child))) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, slot);
  }

  /** The place of the first in order of a node's children, or -1 for a leaf. */
  #leastChild(place: number): number {
    const first = (place << 2) + 1;
    const end = Math.min(first + 4, this.#size);
    if (first >= end) return -1;
    const keys = this.#keys;
    let least = first;
    let leastKey = keys[first] as number;
    for (let child = first + 1; child < end; child++) {
      const key = keys[child] as number;
      if (key > leastKey) continue;
      if (key === leastKey && !this.#outranks(this.#slots[child] as number, least)) continue;
      least = child;
      leastKey = key;
    }
    return least;
  }

  /** Whether a slot goes before the one at a place, their keys being equal. */
  #outranks(slot: number, place: number): boolean {
    return (this.#rankOf[slot] as number) < (this.#rankOf[this.#slots[place] as number] as number);
  }

  /** Moves who is at a place to another place. */
  #move(from: number, to: number): void {
    const slot = this.#slots[from] as number;
    this.#slots[to] = slot;
    this.#keys[to] = this.#keys[from] as number;
    this.#places[slot] = to;
  }

  #put(place: number, slot: number): void {
    this.#slots[place] = slot;
    this.#keys[place] = this.#keyOf[slot] as number;
    this.#places[slot] = place;
  }
}
