/** What was left out of a list because it makes no sense. */
export interface LeftOut {
  /** How many items. */
  readonly rejected: number;
  /** What was wrong with the first of them. */
  readonly firstProblem?: string | undefined;
}

/** Says that there are items and none of them can be used. */
export function noneMakesSense(
  { rejected, firstProblem }: LeftOut,
  what = "listed instances",
): string {
  const first = firstProblem === undefined ? "" : `, the first one's ${firstProblem}`;
  return `none of the ${rejected} ${what} makes sense${first}`;
}
