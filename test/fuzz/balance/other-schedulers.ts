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

/**
 * Static stride as gRPC has it: passes over the list, in each of which an instance is left out unless its weight has come round.
 *
 * Source: gRPC proposal A58; `edfScheduler`'s successor in grpc-go, balancer/weightedroundrobin/scheduler.go.
 */
export function staticStride(weights: readonly number[]): () => number {
  const full = 65_535;
  const half = 32_767;
  const scale = full / Math.max(...weights);
  const scaled = weights.map((weight) => Math.max(1, Math.round(weight * scale)));
  let turn = 0;
  return () => {
    for (;;) {
      const index = turn % scaled.length;
      const pass = Math.floor(turn++ / scaled.length);
      const weight = scaled[index] ?? 0;
      if ((weight * pass + index * half) % full >= full - weight) return index;
    }
  };
}

/**
 * Interleaved weighted round robin as in Linux Virtual Server and EAS's SDKs: passes over the list, in each of which those are
 * picked whose weight reaches a threshold that falls from the largest weight by the greatest common divisor.
 */
export function interleaved(weights: readonly number[]): () => number {
  const divisor = weights.reduce(greatestCommonDivisor);
  const largest = Math.max(...weights);
  let index = -1;
  let threshold = 0;
  return () => {
    for (;;) {
      index = (index + 1) % weights.length;
      if (index === 0) threshold = threshold > divisor ? threshold - divisor : largest;
      if ((weights[index] ?? 0) >= threshold) return index;
    }
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
