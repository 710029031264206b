import type { CompletedCommand } from "./model.js";

/** For fish. Where no words are known fish completes files. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const { name, description, commands: below } = command;
    const seen = `__fish_seen_subcommand_from ${name}`;
    const names = below.map((each) => each.name).join(" ");
    return [
      `complete -c inferwire -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      ...fishCommand(
        command,
        below.length === 0 ? seen : `${seen}; and not __fish_seen_subcommand_from ${names}`,
        // The program and the command stand before it.
        2,
      ),
      ...below.flatMap((each) => [
        `complete -c inferwire -f -n '${seen}; and ${behind(2)}' -a ${each.name} -d ${quoted(each.description)}`,
        ...fishCommand(each, `${seen}; and __fish_seen_subcommand_from ${each.name}`, 3),
      ]),
    ];
  });
  return ['# fish completion for inferwire, by "inferwire completion fish"', ...lines, ""].join(
    "\n",
  );
}

/** Flags and arguments of a command; `words` stand before its first argument. */
function fishCommand(
  { flags, args }: CompletedCommand,
  seen: string,
  words: number,
): readonly string[] {
  return [
    ...flags.map((flag) => {
      const value = flag.takesValue ? " -r" : "";
      const fixed = flag.words.length > 0 ? ` -f -a ${quoted(flag.words.join(" "))}` : "";
      const long = flag.name.replace(/^--/, "");
      return `complete -c inferwire -n '${seen}' -l ${long}${value}${fixed} -d ${quoted(flag.description)}`;
    }),
    ...args.flatMap((each, index) => {
      if (each.words.length === 0) return [];
      return [
        `complete -c inferwire -f -n '${seen}; and ${behind(index + words)}' -a ${quoted(each.words.join(" "))}`,
      ];
    }),
  ];
}

function behind(words: number): string {
  return `test (count (commandline -opc)) -eq ${words}`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
