import type { Argument, Option } from "commander";
import type { CliCommand } from "../command.js";
import { describedCommand, flagText } from "../describe-command.js";
import { BeginningsFlag } from "../flag-values.js";
import { bashScript } from "./bash.js";
import { fishScript } from "./fish.js";
import type { CompletedArgument, CompletedCommand, CompletedFlag, Shell } from "./model.js";
import { zshScript } from "./zsh.js";

const scripts: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The script that teaches a shell the commands. It knows all by itself: no program is started, and nothing typed is run. */
export function completionScript(shell: Shell, commands: readonly CliCommand[]): string {
  const names = commands.map(({ name }) => name);
  return scripts[shell]([...commands.map(completedCommand), helpOf(names)]);
}

/** The command of commander's own. */
function helpOf(names: readonly string[]): CompletedCommand {
  return {
    name: "help",
    description: "show what a command takes",
    flags: [],
    args: [{ name: "command", words: names, variadic: false }],
    commands: [],
  };
}

function completedCommand(definition: CliCommand): CompletedCommand {
  const command = describedCommand(definition);
  const help: CompletedFlag = {
    name: "--help",
    description: "show what can be given",
    takesValue: false,
    words: [],
  };
  return {
    name: definition.name,
    description: definition.summary,
    flags: [...command.options.filter(({ hidden }) => !hidden).map(completedFlag), help],
    args: command.registeredArguments.map(completedArgument),
    commands: (definition.commands ?? []).map(completedCommand),
  };
}

function completedFlag(option: Option): CompletedFlag {
  const { long, short, required, optional, argChoices } = option;
  return {
    name: long ?? short ?? "",
    description: flagText(option),
    takesValue: required || optional,
    words: argChoices ?? (option instanceof BeginningsFlag ? option.beginnings : []),
  };
}

function completedArgument(argument: Argument): CompletedArgument {
  return {
    name: argument.name(),
    words: argument.argChoices ?? [],
    variadic: argument.variadic,
  };
}
