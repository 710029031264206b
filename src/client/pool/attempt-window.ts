const SECONDS = 10;
const SECOND_MS = 1_000;

/** What is counted; also where, in the counts of a second. */
const place = { good: 0, bad: 1, late: 2 } as const;

const KINDS = 3;

/** Counts how the attempts of the last ten seconds ended, to the second. */
export class AttemptWindow {
  /** By second, as a ring. */
  readonly #counts: number[] = new Array<number>(KINDS * SECONDS).fill(0);
  readonly #sums: [good: number, bad: number, late: number] = [0, 0, 0];
  #second = 0;

  /** As of the attempt that was noted last, as all sums. */
  get goods(): number {
    return this.#sums[place.good];
  }

  get bads(): number {
    return this.#sums[place.bad];
  }

  get lates(): number {
    return this.#sums[place.late];
  }

  note(nowMs: number, kind: keyof typeof place): void {
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) this.#moveTo(second);
    const at = KINDS * (second % SECONDS) + place[kind];
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sums[place[kind]]++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#sums.fill(0);
  }

  #moveTo(second: number): void {
    const passed = Math.min(SECONDS, second - this.#second);
    for (let back = 0; back < passed; back++) {
      const at = KINDS * ((second - back) % SECONDS);
      for (const kind of [place.good, place.bad, place.late]) {
        this.#sums[kind] -= this.#counts[at + kind] ?? 0;
        this.#counts[at + kind] = 0;
      }
    }
    this.#second = second;
  }
}
