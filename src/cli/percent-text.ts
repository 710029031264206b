/** A part in percent as people read it: `33.3 %`, and for what is there and rounds to nothing `< 0.1 %`. */
export function percentText(percent: number): string {
  const rounded = Math.round(percent * 10) / 10;
  return percent > 0 && rounded === 0 ? "< 0.1 %" : `${rounded} %`;
}
