/** What every scenario works with. */
export interface ChaosPorts {
  /** Seeded: the same run again for the same seed, as far as processes allow it. */
  readonly random: () => number;
  readonly print: (line: string) => void;
}
