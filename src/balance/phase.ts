import { Schedule } from "./schedule.js";

/** Where in its cycle a group of instances starts: as if `picks` had been made, `served[i]` of them on instance i. */
export interface Phase {
  readonly picks: number;
  readonly served: readonly number[];
}

/** What a phase is drawn for; `rank` breaks ties, and members come in its order. */
export interface PhaseMember {
  readonly weight: number;
  readonly rank: number;
}

/**
 * The phase is drawn from this many picks rather than from one cycle of the weights, so that it does not change
 * when all weights are multiplied by the same number. Small enough that `picks * weight` stays below 2^53.
 */
const phasePicks = 2 ** 20;

/** So many picks are made from a rounded phase before it is used: five to twenty were needed in trials. */
export const leadIn = 50;

/** A share of a pick that is taken for nothing: far above rounding, far below any share that matters. */
const negligible = 2 ** -30;

/** The phase in which nobody has been served. */
export function zeroPhase(members: readonly PhaseMember[]): Phase {
  return { picks: 0, served: members.map(() => 0) };
}

/**
 * Draws a random moment of the schedule over these members: the one that {@link roundedPhase} draws, and some picks from there.
 */
export function drawPhase(members: readonly PhaseMember[], random: () => number): Phase {
  const start = roundedPhase(members, random);
  const served = [...start.served];
  const schedule = new Schedule();
  schedule.reserve(members.length);
  for (const [slot, { weight, rank }] of members.entries()) {
    schedule.join(slot, weight, rank, served[slot] ?? 0);
  }
  for (let count = 0; count < leadIn; count++) {
    const slot = schedule.pick();
    served[slot] = (served[slot] ?? 0) + 1;
  }
  return { picks: start.picks + leadIn, served };
}

/**
 * Draws a moment that is nearly one of the schedule over these members.
 *
 * Without it every client that learns of the same list sends its first call to the same instance. At pick t each
 * member has been served its share of t rounded down, and the picks that are missing from t went to those
 * whose current pick is due first, leaving out those that are exactly at their share (they could not have been
 * picked). Everybody is then less than one pick from their share, as at any moment of a real run.
 *
 * It is not yet such a moment: when a pick was made, the member that is due first now may not have been eligible,
 * so heavy members come out ahead too often. First calls would then go to light ones, of weights 99 and 1
 * nearly always to the latter. Some real picks from there ({@link leadIn}) wash that out.
 */
export function roundedPhase(members: readonly PhaseMember[], random: () => number): Phase {
  const picks = Math.floor(random() * phasePicks);
  let total = 0;
  for (const member of members) total += member.weight;
  const served: number[] = [];
  const due: number[] = [];
  const deadlines: number[] = [];
  let missing = picks;
  for (const [index, { weight }] of members.entries()) {
    const share = (picks * weight) / total;
    const rounded = Math.floor(share);
    served.push(rounded);
    missing -= rounded;
    if (share - rounded > negligible) {
      due.push(index);
      deadlines.push((rounded + 1) / weight);
    }
  }
  // Numbers alone are sorted many times faster than objects by a function: the last deadline that is met tells whose are.
  const inOrder = Float64Array.from(deadlines).sort();
  const last = missing > 0 ? (inOrder[missing - 1] ?? Number.POSITIVE_INFINITY) : 0;
  let atLast = missing - deadlines.filter((deadline) => deadline < last).length;
  for (const [place, index] of due.entries()) {
    const deadline = deadlines[place] ?? last;
    if (deadline > last || (deadline === last && atLast-- <= 0)) continue;
    served[index] = (served[index] ?? 0) + 1;
  }
  return { picks, served };
}
