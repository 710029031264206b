/** What every proof works with. */
export interface ProofPorts {
  /** Seeded: the same run again for the same seed, as far as processes allow it. */
  readonly random: () => number;
  readonly print: (line: string) => void;
}
