/** `99.93 %`. */
export function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
