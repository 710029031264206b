import { describe, expect, it } from "vitest";
import type { CliCommand } from "../../src/cli/command.js";
import { commands as topCommands } from "../../src/cli/commands.js";
import { describedCommand, flagText } from "../../src/cli/describe-command.js";
import { exitCodeTexts } from "../../src/cli/exit-code.js";
import { variableOf } from "../../src/host/environment-options.js";
import { runCliInside } from "../support/cli-inside.js";
import { codeBlocks, pageText, tableBelow } from "../support/markdown.js";

const page = pageText("docs/cli.md");

/** Headings of sections, with what stands below each. */
const sections: ReadonlyMap<string, string> = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end), section.slice(end)];
    }),
);

/** Every command, those below others included, by the words that name it. */
const commands: readonly (readonly [name: string, definition: CliCommand])[] = topCommands.flatMap(
  (above) => [
    [above.name, above] as const,
    ...(above.commands ?? []).map((each) => [`${above.name} ${each.name}`, each] as const),
  ],
);

function sectionOf(name: string): string {
  const section = sections.get(`\`inferwire ${name}\``);
  if (section === undefined) throw new Error(`docs/cli.md has no section of inferwire ${name}`);
  return section;
}

/** Flags of a command that are not every command's, or are not what they are everywhere. */
function ownFlags(definition: CliCommand): readonly (readonly string[])[] {
  const common = new Map(commonFlags.map(([flag, what]) => [flag, what]));
  return describedCommand(definition)
    .options.map((option) => [`\`${option.flags}\``, flagText(option)])
    .filter(([flag, what]) => common.get(flag) !== what);
}

const commonFlags = tableBelow(page, "# The command line");

describe("docs/cli.md", () => {
  it("has the exit codes that hold", () => {
    const start = page.replace("\n| exit code", "\n## Codes\n\n| exit code");
    const expected = exitCodeTexts.map(([code, meaning]) => [String(code), meaning]);
    expect(tableBelow(start, "## Codes")).toEqual(expected);
  });

  it("names the flags that every command has", () => {
    for (const [, command] of commands) {
      const options = describedCommand(command).options;
      const { tokenMeans = "token to send", tokenOption = "token" } = command;
      const said = (what: string): string =>
        what
          .replace("token to send", tokenMeans)
          .replaceAll("INFERWIRE_TOKEN", variableOf(tokenOption));
      expect(options.map((option) => [`\`${option.flags}\``, flagText(option)])).toEqual(
        expect.arrayContaining(commonFlags.map(([flag, what = ""]) => [flag, said(what)])),
      );
    }
    expect(commonFlags).toHaveLength(3);
  });

  it("has sections of nothing but commands", () => {
    const known = commands.map(([name]) => `\`inferwire ${name}\``);
    const written = [...sections].filter(([, text]) => text.trim() !== "").map(([name]) => name);
    expect(written.filter((heading) => !known.includes(heading))).toEqual([]);
  });

  for (const [name, definition] of commands) {
    describe(`inferwire ${name}`, () => {
      it("has a section with its usage and every flag of it, and none besides", () => {
        const section = sectionOf(name);
        const [, usage = ""] = new RegExp(`\`inferwire ${name}([^\`]*)\``).exec(section) ?? [];
        const args = describedCommand(definition).registeredArguments.map((each) => each.name());
        expect(usage.match(/[A-Z]+/g) ?? []).toEqual(
          args.flatMap((arg) => arg.toUpperCase().match(/[A-Z]+/g) ?? []),
        );
        const flags = ownFlags(definition);
        const rows = flags.length === 0 ? [] : tableBelow(section, "");
        expect(rows).toEqual(flags);
        if (flags.length === 0) expect(section).not.toContain("| flag |");
      });

      it("has the examples of the help", () => {
        const code = codeBlocks(sectionOf(name), "sh").map((block) => block.code);
        for (const { line } of definition.examples) {
          expect(code.join("\n")).toContain(`inferwire ${line}\n`);
        }
      });

      it("says the same with --help", async () => {
        const { code, stdout } = await runCliInside([...name.split(" "), "--help"]);
        expect(code).toBe(0);
        expect(stdout).toContain(definition.summary.slice(0, 40));
        for (const { line } of definition.examples)
          expect(stdout).toContain(`  inferwire ${line}\n`);
      });
    });
  }
});
