import { servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";

/** How much a directory takes, so that no caller can fill the machine. */
export interface TableBounds {
  /** Services, and groups besides. */
  readonly maxServices: number;
  /** Registrations of one service; as many operators' weights besides. */
  readonly maxInstancesPerService: number;
  /** Registrations of all services; as many settings of operators (weights, and shares of groups) besides. */
  readonly maxInstances: number;
}

/** The bounds of a directory. */
export const tableBounds: TableBounds = Object.freeze({
  maxServices: 10_000,
  maxInstancesPerService: 10_000,
  maxInstances: 100_000,
});

/** The error of what finds no room. */
export function fullError(what: string): Error {
  const message = `the directory holds ${what}, as many as it takes`;
  return servingError("FORBIDDEN", message, { code: Status.RESOURCE_EXHAUSTED });
}
