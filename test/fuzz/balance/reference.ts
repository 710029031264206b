import type { Weighted } from "../../../src/balance/picker.js";
import { deadline, type Lagging, release, settleLags } from "../../support/settle-lags.js";

/** A lag this far (in picks) below 0 still counts as not ahead, as in the scheduler under test. */
const tolerance = 2 ** -30;

/** Numbers closer than this are a tie, which the scheduler under test may break as it likes. */
const tie = 1e-9;

/** What the reference keeps of an instance. */
export interface Member extends Lagging {
  readonly key: string;
}

/**
 * The rules of weighted round robin written down a second time, over lags and without heaps: every step looks at
 * every member. It does not choose but judges each pick and keeps the lags that follow from it.
 */
export class Reference {
  readonly members: Map<string, Member> = new Map();

  get totalWeight(): number {
    return [...this.members.values()].reduce((sum, { weight }) => sum + weight, 0);
  }

  lags(): number[] {
    return [...this.members.values()].map(({ lag }) => lag);
  }

  /** Takes over a list: members leave (settling their lags), are reweighed (keeping theirs) and join (with lag 0). */
  update(list: readonly Weighted[]): void {
    const weights = new Map(list.map(({ key, weight }) => [key, weight]));
    for (const key of this.members.keys()) {
      if (!weights.get(key)) this.members.delete(key);
    }
    settleLags([...this.members.values()]);
    for (const [key, weight] of weights) {
      const member = this.members.get(key);
      if (member !== undefined) member.weight = weight;
      else if (weight > 0) this.members.set(key, { key, weight, lag: 0 });
    }
  }

  /** Says what is wrong with a pick, and counts it. */
  judge(picked: string | undefined, excluded: ReadonlySet<string> = new Set()): string | undefined {
    const allowed = [...this.members.values()].filter(({ key }) => !excluded.has(key));
    if (picked === undefined) return allowed.length === 0 ? undefined : "nothing picked";
    const member = this.members.get(picked);
    if (member === undefined || excluded.has(picked)) return `${picked} may not be picked`;
    const eligible = allowed.filter(({ lag }) => lag >= -tolerance);
    const candidates = eligible.length > 0 ? eligible : allowed;
    const order = eligible.length > 0 ? deadline : release;
    const best = Math.min(...candidates.map(order));
    const isCandidate = eligible.length === 0 || member.lag >= -tolerance - tie;
    const isBest = order(member) <= best + tie * Math.max(1, best);
    const seen = `${picked} out of turn: lag ${member.lag}, order ${order(member)}, best ${best}`;
    this.#count(member, allowed);
    return isCandidate && isBest ? undefined : seen;
  }

  /** Who is excluded is owed nothing for a pick that was not for it. */
  #count(picked: Member, allowed: readonly Member[]): void {
    const total = allowed.reduce((sum, { weight }) => sum + weight, 0);
    for (const member of allowed) member.lag += member.weight / total;
    picked.lag -= 1;
  }
}
