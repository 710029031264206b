/** An instance with how many picks it is behind its share; ahead of it where that is negative. */
export interface Lagging {
  weight: number;
  lag: number;
}

/** When it may be picked, in virtual time from now. */
export function release({ weight, lag }: Lagging): number {
  return -lag / weight;
}

/** When it is due, in virtual time from now. */
export function deadline({ weight, lag }: Lagging): number {
  return (1 - lag) / weight;
}

/**
 * What weighted round robin does with the lags of those who leave, written down a second time: lags are to sum to 0 again. Debts
 * are forgiven by the one that is due first, then the next, advances to the one that may be picked first.
 */
export function settleLags(members: readonly Lagging[]): void {
  let rest = members.reduce((sum, { lag }) => sum + lag, 0);
  const side = members.filter(({ lag }) => lag * rest > 0);
  const order = rest > 0 ? deadline : release;
  for (const member of side.sort((a, b) => order(a) - order(b))) {
    const forgiven = Math.min(Math.abs(rest), Math.abs(member.lag)) * Math.sign(rest);
    member.lag -= forgiven;
    rest -= forgiven;
  }
}
