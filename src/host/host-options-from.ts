import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { checkText, fillOptions, seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { textPlace } from "../core/text-place.js";
import type { HostOptions } from "./host-options.js";
import { jsonPlaces } from "./json-places.js";
import { optionsFromTexts, textsFromVariables } from "./option-texts.js";
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
  const described = file === undefined ? {} : await describedOptions(file);
  const fromEnvironment = env === undefined ? {} : await optionsFromTexts(textsFromVariables(env));
  return { ...described, ...fromEnvironment };
}

/**
 * Reads a service description's options alone.
 *
 * @param wantsToken - called when it asks for a token to be made; without it that is named as having no effect
 */
export async function describedOptions(
  file: string | URL,
  wantsToken?: () => void,
): Promise<HostOptions> {
  if (!(file instanceof URL)) checkText(file, "sources.file");
  const path = readFilePath(file, "sources.file");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw servingError(
      "INVALID_OPTION",
      `${seen(path)} is unreadable, expected a service description`,
      { cause },
    );
  }
  // Some editors put a byte order mark in front, which JSON does not know.
  const written = text.replace(/^\uFEFF/, "");
  const json = readJson(written, path, (offset) => placeText(path, textPlace(written, offset)));
  const places = jsonPlaces(written);
  return optionsFromServiceDescription(json, {
    folder: dirname(path),
    placeOf: (field) => {
      const place = places.get(field);
      return place === undefined ? undefined : placeText(path, place);
    },
    wantsToken,
  });
}

function placeText(path: string, { line, column }: ReturnType<typeof textPlace>): string {
  return `${path}:${line}:${column}`;
}
