import { resolve } from "node:path";
import { environmentVariables } from "../host/environment-options.js";
import { optionsFromTexts } from "../host/option-texts.js";
import type { CliContext, TokenOption } from "./command.js";

/**
 * The token that the environment gives, by the variable of a host's option of the same name, or by the file that its `_FILE` form
 * names.
 *
 * @returns undefined when neither is set
 * @throws ConfigError `INVALID_OPTION` for a file that cannot be read, a text that is no token, and for both at once.
 */
export async function tokenOf(
  option: TokenOption,
  { env, folder }: Pick<CliContext, "env" | "folder">,
): Promise<string | undefined> {
  const ways = environmentVariables.filter((each) => each.option === option);
  const texts = ways.flatMap((variable) => {
    const text = env[variable.variable];
    if (text === undefined) return [];
    const from = variable.form === "file" ? resolve(folder, text) : text;
    return [{ variable, text: from, where: variable.variable }];
  });
  const token = (await optionsFromTexts(texts))[option];
  return typeof token === "string" ? token : undefined;
}
