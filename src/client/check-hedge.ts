import { servingError } from "../core/serving-error.js";

/** What decides whether a hedge can be made. */
export interface HedgeTerms {
  /** Infinity when none is asked for. */
  readonly hedgeDelayMs: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly retryBudgetRatio: number;
}

/** How the options are called where they were given. */
export interface HedgeNames {
  /** What stands before an option's name in a message: empty, or `methods.name.` */
  readonly where: string;
  readonly attempts: "maxAttempts" | "retryCount";
}

/**
 * Refuses a hedge that could never be made: it is a mistake somewhere.
 *
 * @throws ConfigError naming the option.
 */
export function checkHedge(terms: HedgeTerms, { where, attempts }: HedgeNames): void {
  const { hedgeDelayMs, timeoutMs, maxAttempts, retryBudgetRatio } = terms;
  if (hedgeDelayMs === Number.POSITIVE_INFINITY) return;
  if (maxAttempts <= 1) {
    refuse(terms, where, ` with ${attempts} ${maxAttempts}, expected 2 or more attempts`);
  }
  if (hedgeDelayMs >= timeoutMs) {
    refuse(terms, where, `, expected less than timeoutMs, ${timeoutMs}`);
  }
  if (retryBudgetRatio === 0) {
    refuse(terms, where, " with retryBudgetRatio 0, expected a budget above 0");
  }
}

function refuse({ hedgeDelayMs }: HedgeTerms, where: string, why: string): never {
  throw servingError(
    "INVALID_OPTION",
    `${where}hedgeDelayMs is ${hedgeDelayMs}${why}, or Infinity`,
  );
}
