/** Signals that stop in order, each with the exit code of a process that it has ended: 128 and its number, as shells have it. */
export const stopSignals: readonly (readonly [signal: "SIGINT" | "SIGTERM", exitCode: number])[] = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
];
