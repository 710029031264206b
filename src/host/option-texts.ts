import { nearestName } from "../core/nearest.js";
import { servingError } from "../core/serving-error.js";
import { checkServerTls } from "../server/tls-options.js";
import { checkClientTls } from "../transport/client-tls.js";
import {
  codeOnlyOptions,
  type EnvironmentVariable,
  environmentVariables,
  VARIABLE_PREFIX,
  variableOf,
} from "./environment-options.js";
import type { HostOptions } from "./host-options.js";

/** The text of an option, from a variable or from a command line. */
export interface OptionText {
  /** The form that the text is in. */
  readonly variable: EnvironmentVariable;
  readonly text: string;
  /** What gave it, for messages: the variable's name, or the flag. */
  readonly where: string;
}

/**
 * Reads the texts of options.
 *
 * @throws ConfigError `INVALID_OPTION` naming what cannot be read, or two that give the same option.
 */
export async function optionsFromTexts(given: readonly OptionText[]): Promise<HostOptions> {
  const options: Record<string, unknown> = {};
  const parts = new Map<string, Record<string, unknown>>();
  const givenBy = new Map<string, string>();
  for (const { variable, text, where } of given) {
    const { option, part, read } = variable;
    const other = givenBy.get(option);
    if (other !== undefined && (part === undefined || !parts.has(option))) {
      throw servingError("INVALID_OPTION", `${other} and ${where} are both given, expected one`);
    }
    givenBy.set(option, where);
    const value = await read(text, where);
    if (part !== undefined) parts.set(option, { ...parts.get(option), [part]: value });
    else if (value !== undefined) options[option] = value;
  }
  // The table has read each value in the form of its option.
  const read: HostOptions = { ...options, ...Object.fromEntries(parts) };
  checkServerTls(read.tls, variableOf("tls"));
  if (read.directoryTls !== true) checkClientTls(read.directoryTls, variableOf("directoryTls"));
  return read;
}

/**
 * The options' texts among variables.
 *
 * @throws ConfigError `UNKNOWN_OPTION` for a variable that begins with `INFERWIRE_` and is no option's.
 */
export function textsFromVariables(
  env: Readonly<Record<string, string | undefined>>,
): readonly OptionText[] {
  refuseUnknownVariables(env);
  return environmentVariables.flatMap((variable) => {
    const text = env[variable.variable];
    return text === undefined ? [] : [{ variable, text, where: variable.variable }];
  });
}

/**
 * Refuses variables that begin with `INFERWIRE_` and are no option's.
 *
 * @param more - variables that are known besides a host's
 * @throws ConfigError `UNKNOWN_OPTION` with the nearest known one.
 */
export function refuseUnknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  more: readonly string[] = [],
): void {
  const known = new Set([...environmentVariables.map(({ variable }) => variable), ...more]);
  const unknown = Object.keys(env).find(
    (name) => name.startsWith(VARIABLE_PREFIX) && !known.has(name) && env[name] !== undefined,
  );
  if (unknown === undefined) return;
  throw servingError("UNKNOWN_OPTION", `${unknown} ${unknownBecause(unknown, known)}`);
}

function unknownBecause(name: string, known: ReadonlySet<string>): string {
  const codeOnly = codeOnlyOptions.find((option) => variableOf(option) === name);
  if (codeOnly !== undefined) return `is no variable: ${codeOnly} can be given in code only`;
  // What all names begin with would make any two of them look alike.
  const bare = (variable: string): string => variable.slice(VARIABLE_PREFIX.length);
  const nearest = nearestName(bare(name), [...known].map(bare));
  return nearest === undefined
    ? `is no option's variable, expected one such as ${variableOf("maxQueueLength")}`
    : `is no option's variable, did you mean "${VARIABLE_PREFIX}${nearest}"?`;
}
