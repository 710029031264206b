import { didYouMean } from "../../core/nearest.js";
import { servingError } from "../../core/serving-error.js";
import {
  codeOnlyOptions,
  environmentVariables,
  variableOf,
} from "../../host/environment-options.js";
import { hostDefaults } from "../../host/host-options.js";
import type { OptionText } from "../../host/option-texts.js";
import { flagName } from "../flag-name.js";
import { flagged, type OptionFlags } from "./flags.js";

/**
 * The options' texts among flags.
 *
 * @param token - the flag `--token`
 * @throws ConfigError `UNKNOWN_OPTION` for a name behind `--set` that is no option's.
 */
export function textsFromFlags(
  flags: OptionFlags,
  token: string | undefined,
): readonly OptionText[] {
  const own = [...Object.keys(flagged), "token"] as const;
  const given: Readonly<Record<string, unknown>> = { ...flags, token };
  return [
    ...own.flatMap((option) => {
      const text = given[option];
      return typeof text === "string" ? [textOf(option, text, flagName(option))] : [];
    }),
    ...(flags.set ?? []).map(textFromSet),
  ];
}

function textFromSet(pair: string): OptionText {
  const [, name, text] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (name !== undefined && text !== undefined) return textOf(name, text, `--set ${name}`);
  throw servingError(
    "INVALID_OPTION",
    `--set is ${JSON.stringify(pair.slice(0, 80))}, expected option=value, such as maxQueueLength=10`,
  );
}

function textOf(name: string, text: string, where: string): OptionText {
  const variable = environmentVariables.find((one) => one.variable === variableOf(name));
  if (variable !== undefined) return { variable, text, where };
  const codeOnly: readonly string[] = codeOnlyOptions;
  throw servingError(
    "UNKNOWN_OPTION",
    codeOnly.includes(name)
      ? `${where}: ${name} can be given in code only`
      : `${where}: no option has this name${didYouMean(name, Object.keys(hostDefaults))}`,
  );
}
