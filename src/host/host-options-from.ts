import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { nearestName } from "../core/nearest.js";
import { checkText, fillOptions, seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { checkClientTls, checkServerTls } from "../server/tls-options.js";
import {
  codeOnlyOptions,
  environmentVariables,
  VARIABLE_PREFIX,
  variableOf,
} from "./environment-options.js";
import type { HostOptions } from "./host-options.js";
import { readFilePath, readJson } from "./read-value.js";
import { optionsFromServiceDescription } from "./service-description.js";

/** Where a host's options come from besides code; both may be left out. */
export interface HostOptionSources {
  /** Variables, such as `process.env`; those that begin with `INFERWIRE_` are read, and win over the file. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Path or URL of a service description in EAS's form, usually `app.json`; what it names is relative to its folder. */
  readonly file?: string | URL | undefined;
}

/**
 * Reads a host's options from variables and from a service description. The kit reads neither by itself.
 *
 * What comes back is only what the sources say: spread it before the options in code, which win. Files, those of tokens
 * and certificates too, are read once.
 *
 * @throws ConfigError `INVALID_OPTION` naming the variable or field that cannot be read, what was seen and what was
 * expected; `UNKNOWN_OPTION` for a variable that begins with `INFERWIRE_` or a field that nobody knows.
 * @example
 * const options = await hostOptionsFrom({ env: process.env, file: "app.json" });
 * await new Echo({ ...options, weight: 5 }).run();
 */
export async function hostOptionsFrom(sources: HostOptionSources): Promise<HostOptions> {
  const none: { [K in keyof Required<HostOptionSources>]: HostOptionSources[K] } = {
    env: undefined,
    file: undefined,
  };
  const { env, file } = fillOptions(sources, none, "sources");
  const described = file === undefined ? {} : await fromFile(file);
  const fromEnvironment = env === undefined ? {} : await fromVariables(env);
  return { ...described, ...fromEnvironment };
}

async function fromFile(file: string | URL): Promise<HostOptions> {
  if (!(file instanceof URL)) checkText(file, "sources.file");
  const path = readFilePath(file, "sources.file");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw servingError(
      "INVALID_OPTION",
      `sources.file is ${seen(path)}, which is unreadable, expected a service description`,
      { cause },
    );
  }
  // Some editors put a byte order mark in front, which JSON does not know.
  const json = readJson(text.replace(/^\uFEFF/, ""), path);
  return optionsFromServiceDescription(json, { folder: dirname(path) });
}

async function fromVariables(
  env: Readonly<Record<string, string | undefined>>,
): Promise<HostOptions> {
  refuseUnknownVariables(env);
  const options: Record<string, unknown> = {};
  const parts = new Map<string, Record<string, unknown>>();
  const givenBy = new Map<string, string>();
  for (const { variable, option, part, read } of environmentVariables) {
    const text = env[variable];
    if (text === undefined) continue;
    const other = givenBy.get(option);
    if (other !== undefined && (part === undefined || !parts.has(option))) {
      throw servingError("INVALID_OPTION", `${other} and ${variable} are both given, expected one`);
    }
    givenBy.set(option, variable);
    const value = await read(text, variable);
    if (part !== undefined) parts.set(option, { ...parts.get(option), [part]: value });
    else if (value !== undefined) options[option] = value;
  }
  // The table has read each value in the form of its option.
  const read: HostOptions = { ...options, ...Object.fromEntries(parts) };
  checkServerTls(read.tls, variableOf("tls"));
  if (read.directoryTls !== true) checkClientTls(read.directoryTls, variableOf("directoryTls"));
  return read;
}

function refuseUnknownVariables(env: Readonly<Record<string, string | undefined>>): void {
  const known = new Set(environmentVariables.map(({ variable }) => variable));
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
