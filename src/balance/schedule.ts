import { IndexedHeap } from "./indexed-heap.js";

/** How far (in picks) below its share an instance may be and still count as not ahead: above rounding, below meaning. */
const tolerance = 2 ** -30;

/** Counters are brought back towards zero after this many picks, so that a lag always keeps 2^-32 of a pick. */
const rebasePicks = 2 ** 21;

/**
 * Earliest eligible virtual deadline first (EEVDF) over slots, with lag that survives changes.
 *
 * Let w be a slot's weight, W the sum of all weights, c ("served") the slot's picks and T the sum of all c.
 * Virtual time is V = T / W: the picks that a unit of weight should have had by now. The slot's lag is w V - c,
 * positive when it is owed; all lags sum to W V - T = 0, so somebody is never ahead. A slot is eligible when its
 * lag is not negative, which is when its release c / w is not after V. The pick goes to the eligible slot with the
 * earliest deadline (c + 1) / w: no lag falls to -1, since only slots that are not ahead are picked, and none
 * reaches 1, since up to any deadline no more picks are due than there are.
 *
 * Changes keep the sum of lags at 0 without moving V:
 * - join with lag 0: c = w V. It adds no more due picks than it adds to W, so both bounds hold on.
 * - reweigh from w to w': c grows by (w' - w) V, which keeps the lag.
 * - leave: what the leaving slots had too much or too little is settled with those who would have noticed next. If
 *   the rest are owed, the one with the earliest deadline forgives up to its lag, then the next; if they are ahead,
 *   the one with the earliest release is forgiven. No lag grows. (Sharing by weight, which moves V, charges nearly
 *   all of it to a dominant slot: with weights 1000 and 1 lags of 3 were seen.)
 *
 * The lower bound of -1 holds through all changes, the upper one through joins. No search found leaving to break it,
 * but there is no proof. Reweighing by large factors does (1.5 was seen), since slots that are owed may all become
 * heavy at once; every deadline is met again once each slot that was ahead has waited that off, at the latest W / w
 * picks later for the lightest w.
 *
 * Slots wait in one heap by release and move to another, by deadline, once they are eligible. Release and deadline are
 * quotients of counters rather than running sums of 1 / w: equal ones compare equal and nothing drifts. With whole
 * weights all counters are whole until somebody joins late, and bringing them back by whole cycles is exact.
 */
export class Schedule {
  #weights = new Float64Array(0);
  #served = new Float64Array(0);
  #releases = new Float64Array(0);
  #deadlines = new Float64Array(0);
  #ranks = new Float64Array(0);
  /** Only while counters are brought back: kept, so that no pick allocates. */
  #shown = new Uint8Array(0);
  #waiting = new IndexedHeap();
  #eligible = new IndexedHeap();
  #size = 0;
  #totalWeight = 0;
  #totalServed = 0;
  #rebaseAt = rebasePicks;
  #changes = 0;

  /** How many slots are in the schedule. */
  get size(): number {
    return this.#size;
  }

  /** Virtual time V: picks per unit of weight so far. Meaningless while the schedule is empty. */
  get now(): number {
    return this.#totalServed / this.#totalWeight;
  }

  /** The slot's weight; 0 when it is not in the schedule. */
  weightOf(slot: number): number {
    return this.#weights[slot] ?? 0;
  }

  /** Makes room for slots below `count`, so that it need not be made step by step while they join. */
  reserve(count: number): void {
    if (count > this.#weights.length) this.#grow(count);
  }

  /**
   * Puts in a slot.
   *
   * @param slot - a small integer that is not in the schedule
   * @param weight - above 0
   * @param rank - breaks ties, lower first; distinct from the ranks of the others
   * @param served - the picks it counts as having had: `weight * now` for a lag of 0
   */
  join(slot: number, weight: number, rank: number, served: number): void {
    if (slot >= this.#weights.length) this.#grow(Math.max(16, slot * 2));
    this.#ranks[slot] = rank;
    this.#size++;
    this.#set(slot, weight, served);
    this.#waiting.push(slot);
  }

  /** Takes slots out and settles their lags with the others. */
  leave(slots: readonly number[]): void {
    const now = this.now;
    this.#release();
    for (const slot of slots) {
      this.#hide(slot);
      this.#size--;
      this.#set(slot, 0, 0);
    }
    if (this.#size === 0) this.#resum();
    else this.#settle(now);
  }

  /** Changes the weight of a slot, which keeps its lag. */
  reweigh(slot: number, weight: number): void {
    const change = weight - this.weightOf(slot);
    const served = this.#servedOf(slot) + change * this.now;
    this.#hide(slot);
    this.#set(slot, weight, served);
    this.#waiting.push(slot);
  }

  /**
   * Picks a slot and charges the pick to it: the eligible one with the earliest deadline, or the one with the
   * earliest release when none is eligible, which happens only while slots are excluded.
   *
   * @returns -1 when no slot can be picked
   */
  pick(): number {
    this.#release();
    const slot = this.#eligible.size > 0 ? this.#eligible.pop() : this.#waiting.pop();
    if (slot < 0) return slot;
    this.#charge(slot, 1);
    this.#waiting.push(slot);
    if (this.#totalServed >= this.#rebaseAt) this.#rebase();
    return slot;
  }

  /**
   * Picks as if these slots were not there: the pick is shared among the others, and the lags of these stay what they are.
   * If it were shared among all, those that calls exclude (they have failed) would be owed for every retry, and so be the
   * first that the next calls go to.
   */
  pickExcept(slots: readonly number[]): number {
    let excluded = 0;
    for (const slot of slots) {
      this.#hide(slot);
      excluded += this.weightOf(slot);
    }
    const rest = this.#totalWeight - excluded;
    const picked = this.pick();
    for (const slot of slots) {
      // Virtual time is to move by 1 / rest; what it brings the excluded ones is taken back.
      if (picked >= 0) this.#charge(slot, this.weightOf(slot) / rest);
      this.#waiting.push(slot);
    }
    return picked;
  }

  #hide(slot: number): void {
    this.#waiting.remove(slot);
    this.#eligible.remove(slot);
  }

  #release(): void {
    const now = this.now;
    const waiting = this.#waiting;
    while (waiting.size > 0 && (this.#releases[waiting.top] ?? 0) <= now) {
      this.#eligible.push(waiting.pop());
    }
  }

  /** Brings the sum of lags at virtual time `now` back to 0. Everybody eligible must be in the heap for it. */
  #settle(now: number): void {
    let owed = this.#totalWeight * now - this.#totalServed;
    while (owed > tolerance && this.#eligible.size > 0) {
      const slot = this.#eligible.pop();
      const forgiven = Math.min(owed, Math.max(0, this.#lagOf(slot, now)));
      this.#charge(slot, forgiven);
      // Not back among the eligible: with no lag left it could come to the top again. The next pick sorts it in.
      this.#waiting.push(slot);
      owed -= forgiven;
    }
    while (owed < -tolerance && this.#waiting.size > 0) {
      const slot = this.#waiting.pop();
      const ahead = -this.#lagOf(slot, now);
      const forgiven = Math.min(-owed, ahead);
      this.#charge(slot, -forgiven);
      if (forgiven === ahead) this.#eligible.push(slot);
      else this.#waiting.push(slot);
      owed += forgiven;
    }
  }

  #lagOf(slot: number, now: number): number {
    return this.weightOf(slot) * now - this.#servedOf(slot);
  }

  #charge(slot: number, picks: number): void {
    this.#served[slot] = this.#servedOf(slot) + picks;
    this.#totalServed += picks;
    this.#time(slot);
  }

  #servedOf(slot: number): number {
    return this.#served[slot] ?? 0;
  }

  #serve(slot: number, served: number): void {
    this.#served[slot] = served;
    this.#time(slot);
  }

  /** Sets release and deadline; told only a whole number, since fractions would be boxed in every pick. */
  #time(slot: number): void {
    const weight = this.weightOf(slot);
    const served = this.#servedOf(slot);
    this.#releases[slot] = (served - tolerance) / weight;
    this.#deadlines[slot] = (served + 1) / weight;
  }

  #set(slot: number, weight: number, served: number): void {
    this.#totalWeight += weight - this.weightOf(slot);
    this.#totalServed += served - this.#servedOf(slot);
    this.#weights[slot] = weight;
    this.#serve(slot, served);
    this.#rebaseAt = Math.max(rebasePicks, 2 * this.#totalWeight);
    // Fractions round a little at every change. Summing anew once in `size` changes costs next to nothing.
    if (++this.#changes > this.#size) this.#resum();
  }

  #resum(): void {
    this.#changes = 0;
    this.#totalWeight = 0;
    this.#totalServed = 0;
    for (let slot = 0; slot < this.#weights.length; slot++) {
      this.#totalWeight += this.weightOf(slot);
      this.#totalServed += this.#servedOf(slot);
    }
  }

  /**
   * Takes a whole number of units of virtual time off everybody: no lag and no comparison changes. Who is hidden stays so:
   * who was put back here and once more after the pick would be in a heap twice.
   */
  #rebase(): void {
    const units = Math.floor(this.now);
    for (let slot = 0; slot < this.#weights.length; slot++) {
      this.#shown[slot] = Number(this.#waiting.has(slot) || this.#eligible.has(slot));
    }
    for (let slot = 0; slot < this.#weights.length; slot++) {
      this.#serve(slot, this.#servedOf(slot) - units * this.weightOf(slot));
    }
    this.#resum();
    this.#waiting.clear();
    this.#eligible.clear();
    for (let slot = 0; slot < this.#weights.length; slot++) {
      if (this.#shown[slot] === 1) this.#waiting.push(slot);
    }
  }

  #grow(capacity: number): void {
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const array = new Float64Array(capacity);
      array.set(old);
      return array;
    };
    this.#weights = grown(this.#weights);
    this.#served = grown(this.#served);
    this.#ranks = grown(this.#ranks);
    this.#shown = new Uint8Array(capacity);
    this.#releases = grown(this.#releases);
    this.#deadlines = grown(this.#deadlines);
    this.#waiting.grow(this.#releases, this.#ranks);
    this.#eligible.grow(this.#deadlines, this.#ranks);
  }
}
