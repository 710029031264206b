import type { Weighted } from "../../src/balance/picker.js";
import { type Lagging, settleLags } from "../support/settle-lags.js";

/** Lags this close (in picks) to a bound after changes are at it: their fractions were rounded. */
const rounding = 1e-8;

interface Watched extends Lagging {
  /** Picks since the last change of the list; `lag` is as of that change. */
  picks: number;
  /** Largest and smallest lag since then. */
  most: number;
  least: number;
}

/** What was seen of lags: how many picks instances were behind their shares (or ahead, where negative). */
export interface LagFigures {
  picks: number;
  changes: number;
  /** Picks after which somebody was a whole pick ahead. */
  ahead: number;
  /** Times that somebody was a whole pick behind, within and after the time in which that may be. */
  behindInGrace: number;
  behind: number;
  /** Times that a stretch without changes was two picks off. */
  windows: number;
  /** Picks that went to nobody, to somebody unknown, or to somebody excluded. */
  wrong: number;
  mostBehind: number;
  mostAhead: number;
}

/** Figures of nothing. */
export function noLags(): LagFigures {
  return {
    picks: 0,
    changes: 0,
    ahead: 0,
    behindInGrace: 0,
    behind: 0,
    windows: 0,
    wrong: 0,
    mostBehind: 0,
    mostAhead: 0,
  };
}

/**
 * Follows the lags of all instances over picks and changes, knowing nothing of how picks are chosen.
 *
 * Between two changes a lag is a quotient of whole numbers (for whole weights), so nothing is lost over many picks. It rises until
 * its instance is picked and falls only then: it is enough to look at it before and after a pick of its own, and at each change.
 */
export class LagWatch {
  readonly #members = new Map<string, Watched>();
  readonly #figures: LagFigures;
  #total = 0;
  #picks = 0;
  #rounding = 0;
  #graceUntil = 0;

  constructor(figures: LagFigures) {
    this.#figures = figures;
  }

  /**
   * Takes over a list: who leaves settles with the others, who is reweighed keeps its lag, who joins has none.
   *
   * @param grace - whether instances may be behind for as long as the lightest needs for one pick
   */
  update(list: readonly Weighted[], grace: boolean): void {
    this.#close();
    const weights = new Map(list.map(({ key, weight }) => [key, weight]));
    for (const key of this.#members.keys()) if (!weights.get(key)) this.#members.delete(key);
    settleLags([...this.#members.values()]);
    for (const [key, weight] of weights) {
      const member = this.#members.get(key);
      if (member !== undefined) member.weight = weight;
      else if (weight > 0) {
        this.#members.set(key, { weight, lag: 0, picks: 0, most: 0, least: 0 });
      }
    }
    this.#open(grace);
  }

  /** Counts a pick. */
  picked(key: string | undefined, excluded?: ReadonlySet<string>): void {
    const figures = this.#figures;
    const member = this.#members.get(key ?? "");
    if (member === undefined || key === undefined || excluded?.has(key) === true) {
      figures.wrong++;
      return;
    }
    this.#look(member);
    figures.picks++;
    if (excluded === undefined) this.#picks++;
    else this.#shareExcept(excluded);
    member.picks++;
    const lag = this.#lagOf(member);
    member.least = Math.min(member.least, lag);
    figures.mostAhead = Math.max(figures.mostAhead, -lag);
    if (lag <= -1 - this.#rounding) figures.ahead++;
  }

  /** Looks at everybody once more. */
  end(): void {
    this.#close();
  }

  #lagOf({ weight, lag, picks }: Watched): number {
    return lag + (this.#picks * weight - picks * this.#total) / this.#total;
  }

  /** A pick that was only for those who are not excluded. */
  #shareExcept(excluded: ReadonlySet<string>): void {
    let rest = this.#total;
    for (const key of excluded) rest -= this.#members.get(key)?.weight ?? 0;
    for (const [key, member] of this.#members) {
      if (!excluded.has(key)) member.lag += member.weight / rest;
    }
  }

  #look(member: Watched): void {
    const figures = this.#figures;
    const lag = this.#lagOf(member);
    member.most = Math.max(member.most, lag);
    figures.mostBehind = Math.max(figures.mostBehind, lag);
    if (lag < 1 + this.#rounding && (this.#rounding > 0 || lag < 1)) return;
    if (this.#picks >= this.#graceUntil) figures.behind++;
    else figures.behindInGrace++;
  }

  #close(): void {
    for (const member of this.#members.values()) {
      this.#look(member);
      if (member.most - member.least >= 2) this.#figures.windows++;
      member.lag = this.#lagOf(member);
      member.picks = 0;
    }
    this.#picks = 0;
  }

  #open(grace: boolean): void {
    this.#figures.changes++;
    this.#total = 0;
    let lightest = Number.POSITIVE_INFINITY;
    for (const member of this.#members.values()) {
      this.#total += member.weight;
      lightest = Math.min(lightest, member.weight);
      member.most = member.lag;
      member.least = member.lag;
      if (member.lag !== 0) this.#rounding = rounding;
    }
    this.#graceUntil = grace ? Math.ceil(this.#total / lightest) : 0;
  }
}
