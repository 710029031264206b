/**
 * What an instance says of its own load behind an answer.
 *
 * Source: xds.data.orca.v3.OrcaLoadReport, gRFC A51 and A58.
 */
export interface LoadReport {
  /** How much of what it can take the instance takes: 0 is idle, 1 is full, above 1 there is more to do than it can. */
  readonly utilization: number;
  /** Calls per second that it answers, all callers together; 0 when it does not say. */
  readonly callsPerSecond: number;
  /** Of these, failures per second. */
  readonly failuresPerSecond: number;
}
