/** A time for people: `812 us`, `3.21 ms`, `1.02 s`. */
export function timeText(us: number): string {
  if (us < 1_000) return `${Math.round(us)} us`;
  return us < 1_000_000 ? `${threeDigits(us / 1_000)} ms` : `${threeDigits(us / 1_000_000)} s`;
}

/** Bytes for people: `812 B`, `3.21 KiB`. */
export function bytesText(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let rest = bytes;
  let unit = "B";
  for (const next of units) {
    if (rest < 1_024) break;
    rest /= 1_024;
    unit = next;
  }
  return `${unit === "B" ? rest : threeDigits(rest)} ${unit}`;
}

/** A count for people: `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: count < 100 ? 1 : 0 });
}

/** A share for people: `+12.3 %`. */
export function changeText(change: number | undefined): string {
  if (change === undefined) return "";
  return `${change > 0 ? "+" : ""}${(change * 100).toFixed(1)} %`;
}

function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
