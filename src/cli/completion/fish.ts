import type { CompletedCommand } from "./model.js";

/** For fish. Where no words are known fish completes files. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, description, flags, args }) => {
    const inside = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c inferwire -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      ...flags.map((flag) => {
        const value = flag.takesValue ? " -r" : "";
        const words = flag.words.length > 0 ? ` -f -a ${quoted(flag.words.join(" "))}` : "";
        const long = flag.name.replace(/^--/, "");
        return `complete -c inferwire ${inside} -l ${long}${value}${words} -d ${quoted(flag.description)}`;
      }),
      ...args.flatMap(({ words }, index) => {
        if (words.length === 0) return [];
        // The program and the command stand before it.
        const at = `-n '__fish_seen_subcommand_from ${name}; and test (count (commandline -opc)) -eq ${index + 2}'`;
        return [`complete -c inferwire -f ${at} -a ${quoted(words.join(" "))}`];
      }),
    ];
  });
  return ['# fish completion for inferwire, by "inferwire completion fish"', ...lines, ""].join(
    "\n",
  );
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
