/** Edits from one text to the other: insertions, deletions, substitutions, and swaps of neighbours. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(substitution, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The known name that is most like a mistyped one, if one is near enough to be meant. */
export function nearestName(seen: string, known: Iterable<string>): string | undefined {
  const wanted = seen.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 2));
  for (const name of known) {
    const d = distance(wanted, name.toLowerCase());
    if (d < bestDistance) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}

/** `, did you mean "x"?` for the nearest known name, else a list of all of them. */
export function didYouMean(seen: string, known: Iterable<string>): string {
  const names = [...known];
  const nearest = nearestName(seen, names);
  return nearest === undefined ? `, known: ${names.join(", ")}` : `, did you mean "${nearest}"?`;
}
