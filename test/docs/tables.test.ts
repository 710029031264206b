import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { builtins } from "../../src/builtin/registry.js";
import { channelDefaults } from "../../src/client/client-options.js";
import { errorCatalog } from "../../src/core/error-catalog.js";
import { statusName } from "../../src/core/status.js";
import { directoryDefaults } from "../../src/directory/directory-options.js";
import { hostDefaults } from "../../src/host/host-options.js";
import { httpErrorForms } from "../../src/server/http-errors.js";
import { serverLimitDefaults } from "../../src/server/limits.js";

const page = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

/** Cells of the rows of the first table below a heading. */
function table(text: string, heading: string): string[][] {
  const start = text.indexOf(`\n${heading}\n`);
  const lines = text.slice(start).split("\n").slice(2);
  const first = lines.findIndex((line) => line.startsWith("|---"));
  const rows: string[][] = [];
  for (const line of lines.slice(first + 1)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

const code = (cell: string): string | undefined => /^`(.+)`$/.exec(cell)?.[1];

const optionTables: readonly [string, Readonly<Record<string, unknown>>][] = [
  ["## Host", { ...hostDefaults }],
  ["## Limits", { ...serverLimitDefaults }],
  ["## Client", { ...channelDefaults }],
  ["## Directory", { ...directoryDefaults }],
];

describe("docs/options.md", () => {
  for (const [heading, defaults] of optionTables) {
    it(`${heading} names every option, and no other`, () => {
      const names = table(page("options.md"), heading).map(([name = ""]) => code(name));
      expect(names.toSorted()).toEqual(Object.keys(defaults).toSorted());
    });

    it(`${heading} gives the defaults that hold`, () => {
      for (const [name = "", shown = ""] of table(page("options.md"), heading)) {
        const value = code(shown);
        // Words instead of code: there is no default, or it depends on other options.
        if (value === undefined) expect(defaults[code(name) ?? ""] || undefined).toBeUndefined();
        else expect(JSON.parse(value)).toEqual(defaults[code(name) ?? ""]);
      }
    });
  }
});

describe("docs/errors.md", () => {
  it("says of every reason what the catalogue says, and names no other", () => {
    const start = page("errors.md").replace("\n| reason", "\n## Table\n\n| reason");
    const rows = table(start, "## Table");
    const expected = Object.entries(errorCatalog).map(([reason, entry]) => {
      const form = httpErrorForms[reason as keyof typeof httpErrorForms];
      return [
        `\`${reason}\``,
        entry.kind,
        statusName(entry.code),
        `${form.status}${form.close === true ? ", closes" : ""}`,
        entry.safeToRepeat ? "yes" : "",
        entry.meaning,
        entry.advice,
      ];
    });
    expect(rows).toEqual(expected);
  });
});

describe("docs/host.md", () => {
  it("names every builtin and whether it is there", () => {
    const listed = new Map(
      table(page("host.md"), "## Builtins").flatMap(([names = "", there = ""]) =>
        names.split(",").map((name) => [code(name.trim()), there.startsWith("yes")] as const),
      ),
    );
    expect(listed).toEqual(new Map(builtins.map(({ name, available }) => [name, available])));
  });
});
