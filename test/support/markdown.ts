import { readFileSync } from "node:fs";

/** A block of code of a page. */
export interface CodeBlock {
  /** Line of the page that its first line is, from 1. */
  readonly line: number;
  readonly code: string;
}

/** Text of a page, by its path from the root of the repository. */
export function pageText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

/** Blocks of code of a page that are marked as this language. */
export function codeBlocks(text: string, language: string): readonly CodeBlock[] {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"));
  return [...blocks].map(({ index, 1: code = "" }) => ({
    line: text.slice(0, index).split("\n").length + 1,
    code,
  }));
}

/** Cells of the rows of the first table below a heading. */
export function tableBelow(text: string, heading: string): readonly (readonly string[])[] {
  const lines = text.slice(`\n${text}`.indexOf(`\n${heading}\n`)).split("\n");
  const first = lines.findIndex((line) => line.startsWith("|---")) + 1;
  const end = lines.findIndex((line, index) => index >= first && !line.startsWith("|"));
  const cellsOf = (line: string): readonly string[] => line.split(/(?<!\\)\|/).slice(1, -1);
  return lines
    .slice(first, end)
    .map((line) => cellsOf(line).map((cell) => cell.trim().replaceAll("\\|", "|")));
}
