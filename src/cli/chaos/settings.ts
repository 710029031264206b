/** All faults, in the order in which they are tried. */
export const faultNames = [
  "kill",
  "stop",
  "overload",
  "cancel",
  "deadlines",
  "broken",
  "slow",
  "restart",
] as const;

/** The name of a fault. */
export type FaultName = (typeof faultNames)[number];

/** How long a run may be asked to take, and how long it takes when nothing is said. */
export const runSeconds = { min: 1, max: 3_600, usual: 30 } as const;
