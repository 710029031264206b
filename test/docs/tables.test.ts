import { describe, expect, it } from "vitest";
import { builtins } from "../../src/builtin/registry.js";
import { channelDefaults } from "../../src/client/client-options.js";
import { ejectionDefaults } from "../../src/client/pool-options.js";
import { errorCatalog } from "../../src/core/error-catalog.js";
import { statusName } from "../../src/core/status.js";
import { directoryDefaults } from "../../src/directory/directory-options.js";
import { predictClientDefaults } from "../../src/eas/predict-client-options.js";
import { environmentVariables } from "../../src/host/environment-options.js";
import { hostDefaults } from "../../src/host/host-options.js";
import { serviceDescriptionFields } from "../../src/host/service-description.js";
import { httpErrorForms } from "../../src/server/http-errors.js";
import { serverLimitDefaults } from "../../src/server/limits.js";
import { connectCodes } from "../../src/server/web/connect-error.js";
import { webProtocolOf, webTypesFor } from "../../src/server/web/web-protocols.js";
import { pageText, tableBelow } from "../support/markdown.js";

const page = (name: string): string => pageText(`docs/${name}`);

const code = (cell: string): string | undefined => /^`(.+)`$/.exec(cell)?.[1];

/** Everything in a cell that is written as code. */
const codes = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

/** What a default stands for: JSON, and what that has no word for. */
const defaultIn = (text: string): unknown =>
  text === "Infinity" ? Number.POSITIVE_INFINITY : JSON.parse(text);

const optionTables: readonly [string, string, Readonly<Record<string, unknown>>][] = [
  ["host.md", "## Options", { ...hostDefaults }],
  ["options.md", "## Limits", { ...serverLimitDefaults }],
  ["options.md", "## Client", { ...channelDefaults }],
  ["options.md", "### Ejection", { ...ejectionDefaults }],
  ["options.md", "## EAS client", { ...predictClientDefaults }],
  ["options.md", "## Directory", { ...directoryDefaults }],
];

describe("tables of options", () => {
  for (const [file, heading, defaults] of optionTables) {
    it(`${file} ${heading} names every option, and no other`, () => {
      const names = tableBelow(page(file), heading).map(([name = ""]) => code(name));
      expect(names.toSorted()).toEqual(Object.keys(defaults).toSorted());
    });

    it(`${file} ${heading} gives the defaults that hold`, () => {
      for (const [name = "", shown = ""] of tableBelow(page(file), heading)) {
        const value = code(shown);
        const known = defaults[code(name) ?? ""] || undefined;
        // Options of their own have a table of their own.
        if (known === ejectionDefaults) expect(shown).toMatch(/^see \[\w+\]\(#\w+\)$/);
        // Words instead of code: there is no default, or it depends on other options.
        else if (value === undefined) expect(known).toBeUndefined();
        else expect(defaultIn(value)).toEqual(defaults[code(name) ?? ""]);
      }
    });
  }
});

describe("docs/host.md, where options come from", () => {
  it("names every variable, in the form that it is read in", () => {
    const listed = tableBelow(page("host.md"), "### Environment").flatMap(
      ([form = "", names = ""]) => codes(names).map((name) => [name, /^\w+/.exec(form)?.[0]]),
    );
    const known = environmentVariables.map(({ variable, form }) => [variable, form]);
    expect(listed.toSorted()).toEqual(known.toSorted());
  });

  it("says of every field of a service description what becomes of it", () => {
    const rows = tableBelow(page("service-description.md"), "## Fields");
    const listed = rows.flatMap(([fields = "", becomes = ""]) =>
      codes(fields).map((field) => [field, code(becomes) ?? becomes]),
    );
    const known = [...serviceDescriptionFields].map(([field, use]) => [
      field,
      use.becomes === "option" ? use.option : use.becomes,
    ]);
    expect(listed.toSorted()).toEqual(known.toSorted());
  });
});

describe("docs/host.md, for EASCMD users and in codes", () => {
  it("gives the option of each field, and its default", () => {
    const rows = tableBelow(page("host.md"), "### Defaults");
    expect(rows).toHaveLength(5);
    for (const [field = "", option = "", value = ""] of rows) {
      const use = serviceDescriptionFields.get(codes(field)[0] ?? "");
      expect(use).toMatchObject({ becomes: "option", option: code(option) });
      expect(hostDefaults).toMatchObject({ [code(option) ?? ""]: JSON.parse(code(value) ?? "") });
    }
  });

  it("gives the statuses of each reason", () => {
    const rows = tableBelow(page("host.md"), "## Codes");
    expect(rows).toHaveLength(11);
    for (const [name, status, , reasons = ""] of rows) {
      for (const reason of codes(reasons)) {
        const form = httpErrorForms[reason as keyof typeof httpErrorForms];
        expect(`${form.status}${form.close === true ? ", closes" : ""}`).toBe(status);
        expect(statusName(errorCatalog[reason as keyof typeof errorCatalog].code)).toBe(name);
      }
    }
  });
});

describe("docs/errors.md", () => {
  it("says of every reason what the catalogue says, and names no other", () => {
    const start = page("errors.md").replace("\n| reason", "\n## Table\n\n| reason");
    const rows = tableBelow(start, "## Table");
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

describe("docs/browser.md", () => {
  it("gives Connect's word and HTTP status of every code", () => {
    const rows = tableBelow(
      page("browser.md").replace("\n| gRPC |", "\n## Codes\n\n| gRPC |"),
      "## Codes",
    );
    const expected = Object.entries(connectCodes).map(([name, { code: word, httpStatus }]) => [
      name,
      `\`${word}\``,
      String(httpStatus),
    ]);
    expect(rows).toEqual(expected);
  });

  it("names every content type, with the methods that it carries", () => {
    const rows = tableBelow(page("browser.md"), "## What is served");
    const listed = rows.flatMap(([types = "", , methods]) =>
      codes(types).map((type) => [type, methods]),
    );
    const all = new Set([false, true].flatMap((responseStream) => webTypesFor({ responseStream })));
    const expected = [...all].map((type) => {
      const carries = webProtocolOf(type)?.carries;
      return [type, carries === "both" ? "unary, server streaming" : carries];
    });
    expect(listed.toSorted()).toEqual(expected.toSorted());
  });
});

describe("docs/host.md", () => {
  it("names every builtin, and no other", () => {
    const listed = tableBelow(page("host.md"), "## Builtins").map(([name = ""]) => code(name));
    expect(listed).toEqual(builtins.map(({ name }) => name));
  });
});

describe("docs/builtins.md", () => {
  it("gives every way to call a builtin with the right it needs, and no other", () => {
    const start = page("builtins.md").replace(
      "\n| builtin | HTTP",
      "\n## Ways\n\n| builtin | HTTP",
    );
    let current = "";
    const listed = tableBelow(start, "## Ways").flatMap(
      ([name = "", verbs = "", rpc = "", right = ""]) => {
        current = code(name) ?? current;
        const ways = [...verbs.split(", "), code(rpc.replace(/ \(.*\)$/, ""))];
        return ways.map(
          (way) => `${current} ${way} ${right.startsWith("admin") ? "admin" : "token"}`,
        );
      },
    );
    const upper = (method: string): string => method.charAt(0).toUpperCase() + method.slice(1);
    const expected = builtins.flatMap(({ name, verbs, methods }) =>
      [...verbs, ...methods.map((way) => ({ ...way, name: upper(way.name) }))].map(
        (way) => `${name} ${way.name} ${way.changesState ? "admin" : "token"}`,
      ),
    );
    expect(listed.toSorted()).toEqual(expected.toSorted());
  });
});
