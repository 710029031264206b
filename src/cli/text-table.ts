import { printableLine } from "./printable.js";

/**
 * Lines of a table in columns, each as wide as its widest cell; a last column stays ragged. A cell's text cannot begin a line of
 * its own.
 */
export function textTable(rows: readonly (readonly string[])[]): readonly string[] {
  const shown = rows.map((row) => row.map(printableLine));
  const widths: number[] = [];
  for (const row of shown) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return shown.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
