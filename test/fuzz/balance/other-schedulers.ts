/** Smooth weighted round robin as nginx has it: add every weight, take the largest, subtract the sum. */
export function smooth(weights: readonly number[]): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const current = weights.map(() => 0);
  return () => {
    for (const [index, weight] of weights.entries())
      current[index] = (current[index] ?? 0) + weight;
    const best = current.indexOf(Math.max(...current));
    current[best] = (current[best] ?? 0) - total;
    return best;
  };
}

/** Earliest deadline first without eligibility: each pick moves an instance 1 / weight further. */
export function earliestDeadline(weights: readonly number[]): () => number {
  const deadlines = weights.map((weight) => 1 / weight);
  return () => {
    const best = deadlines.indexOf(Math.min(...deadlines));
    deadlines[best] = (deadlines[best] ?? 0) + 1 / (weights[best] ?? 1);
    return best;
  };
}
