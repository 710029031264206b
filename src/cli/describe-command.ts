import { Command, type Option } from "commander";
import type { CliCommand, TokenOption } from "./command.js";

/** As `host/environment-options` has them, which help is shown without: it knows all options of a host. */
const tokenVariables: Readonly<Record<TokenOption, string>> = {
  token: "INFERWIRE_TOKEN",
  adminToken: "INFERWIRE_ADMIN_TOKEN",
  directoryToken: "INFERWIRE_DIRECTORY_TOKEN",
};

/**
 * Gives a command its arguments and flags, those of every command included.
 *
 * @param command - commander's, made for it
 */
export function describeCommand(definition: CliCommand, command: Command): Command {
  command.description(definition.summary);
  definition.configure(command);
  // As descriptions write them that know their default by other means; commander's own form has quotes.
  for (const option of command.options) {
    if (typeof option.defaultValue === "string")
      option.defaultValueDescription = option.defaultValue;
  }
  const { tokenMeans = "token to send", tokenOption = "token" } = definition;
  const variable = tokenVariables[tokenOption];
  return command
    .option("--json", "print results as JSON, one a line, and errors as JSON on stderr")
    .option("--token <text>", `${tokenMeans} (default: ${variable}, or ${variable}_FILE)`)
    .option("--debug", "show stack traces");
}

/** What is said of a flag, its default included. */
export function flagText({ description, defaultValueDescription: preset }: Option): string {
  return preset === undefined ? description : `${description} (default: ${preset})`;
}

/** A command as commander knows it, to be looked at and not run. */
export function describedCommand(definition: CliCommand): Command {
  return describeCommand(definition, new Command(definition.name));
}
