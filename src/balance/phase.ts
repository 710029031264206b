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

/** So many picks are made from a drawn phase before it is used: five to twenty were needed in trials. */
const leadIn = 50;

/** A share of a pick that is taken for nothing: far above rounding, far below any share that matters. */
const negligible = 2 ** -30;

/** The phase in which nobody has been served. */
export function zeroPhase(members: readonly PhaseMember[]): Phase {
  return { picks: 0, served: members.map(() => 0) };
}

/**
 * Draws a random moment of the schedule over these members.
 *
 * Without it every client that learns of the same list sends its first call to the same instance. At pick t each
 * member has been served its share of t rounded down, and the picks that are missing from t went to those
 * whose current pick is due first, leaving out those that are exactly at their share (they could not have been
 * picked). Everybody is then less than one pick from their share, as at any moment of a real run.
 *
 * It is not yet such a moment: when a pick was made, the member that is due first now may not have been eligible,
 * so heavy members come out ahead too often. First calls would then go to light ones, of weights 99 and 1
 * nearly always to the latter. Some real picks from there wash that out.
 */
export function drawPhase(members: readonly PhaseMember[], random: () => number): Phase {
  const start = roundedPhase(members, Math.floor(random() * phasePicks));
  const served = [...start.served];
  const schedule = new Schedule();
  for (const [slot, { weight, rank }] of members.entries()) {
    schedule.join(slot, weight, rank, served[slot] ?? 0);
  }
  for (let count = 0; count < leadIn; count++) {
    const slot = schedule.pick();
    served[slot] = (served[slot] ?? 0) + 1;
  }
  return { picks: start.picks + leadIn, served };
}

function roundedPhase(members: readonly PhaseMember[], picks: number): Phase {
  let total = 0;
  for (const member of members) total += member.weight;
  const due = members.map(({ weight }, index) => {
    const share = (picks * weight) / total;
    const served = Math.floor(share);
    return { index, served, lag: share - served, deadline: (served + 1) / weight };
  });
  const served = due.map((member) => member.served);
  const missing = picks - served.reduce((sum, count) => sum + count, 0);
  due
    .filter((member) => member.lag > negligible)
    .sort((a, b) => a.deadline - b.deadline)
    .slice(0, missing)
    .forEach((member) => {
      served[member.index] = member.served + 1;
    });
  return { picks, served };
}
