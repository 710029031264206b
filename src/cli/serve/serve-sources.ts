import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import type { HostOptions } from "../../host/host-options.js";
import { describedOptions } from "../../host/host-options-from.js";
import { type OptionText, optionsFromTexts, textsFromVariables } from "../../host/option-texts.js";
import type { Secret } from "../../host/startable-host.js";
import { textsFromFlags } from "./flag-texts.js";
import type { ServeFlags } from "./flags.js";

/** What a command line asks to be served. */
export interface ServeRequest {
  /** The argument: a module, or a service description when it ends with `.json`. */
  readonly argument: string;
  readonly flags: ServeFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the folder that relative paths start from. */
  readonly folder: string;
}

/** Where a host's options come from under `serve`, all but the module's own code. */
export interface ServeSources {
  /** URL of the module. */
  readonly module: string;
  /** Absolute path of the service description; undefined without one. */
  readonly description: string | undefined;
  /** Whether the description asks for a token to be made. */
  readonly wantsToken: boolean;
  readonly described: HostOptions;
  readonly environment: HostOptions;
  readonly flags: HostOptions;
  /** The texts that the last two were read from. */
  readonly texts: {
    readonly environment: readonly OptionText[];
    readonly flags: readonly OptionText[];
  };
}

/**
 * Reads the sources of a host's options.
 *
 * @throws ConfigError for what cannot be read; ProcessorError `INITIALIZE_FAILED` when there is no such module.
 */
export async function readServeSources(request: ServeRequest): Promise<ServeSources> {
  const { argument, env, folder } = request;
  const texts = {
    environment: textsFromVariables(env),
    flags: textsFromFlags(request.flags, request.flags.token),
  };
  const description = argument.endsWith(".json") ? resolve(folder, argument) : undefined;
  let wantsToken = false;
  const described =
    description === undefined
      ? {}
      : await describedOptions(description, () => {
          wantsToken = true;
        });
  const environment = await optionsFromTexts(texts.environment);
  const flags = await optionsFromTexts(texts.flags);
  const named = flags.module ?? environment.module ?? described.module;
  const module = moduleOf(description === undefined ? argument : named, folder, description);
  return { module, description, wantsToken, described, environment, flags, texts };
}

function moduleOf(
  named: string | URL | undefined,
  folder: string,
  description: string | undefined,
): string {
  if (named === undefined) {
    throw servingError(
      "INVALID_OPTION",
      `${description}: service description: processor_entry is missing, expected the module to serve`,
    );
  }
  const url = String(named).startsWith("file:")
    ? String(named)
    : pathToFileURL(resolve(folder, String(named))).href;
  const path = fileURLToPath(url);
  if (existsSync(path)) return url;
  throw servingError(
    "INITIALIZE_FAILED",
    `there is no module ${path}, expected a file that exports a processor or runs it (given: ${seen(String(named))})`,
  );
}

/**
 * Lays the sources over each other: flags, the module's own code, environment, service description.
 *
 * @param code - the options that the processor was constructed with
 */
export function layeredOptions(sources: ServeSources, code: HostOptions): HostOptions {
  const { described, environment, flags, module } = sources;
  // Undefined in code means that nothing was said.
  const said = Object.fromEntries(Object.entries(code).filter(([, value]) => value !== undefined));
  const notices = [...(described.notices ?? []), ...(code.notices ?? [])];
  return {
    ...described,
    ...environment,
    module,
    ...said,
    ...flags,
    ...(notices.length > 0 ? { notices } : {}),
  };
}

const secrets: readonly Secret[] = ["token", "adminToken", "directoryToken"];

/** The files that the tokens in force were read from. */
export function secretFiles(
  { texts, flags }: ServeSources,
  code: HostOptions,
): readonly (readonly [Secret, OptionText])[] {
  return secrets.flatMap((secret) => {
    if (flags[secret] === undefined && code[secret] !== undefined) return [];
    const layer = flags[secret] === undefined ? texts.environment : texts.flags;
    const text = layer.find(({ variable }) => variable.option === secret);
    return text?.variable.form === "file" ? [[secret, text] as const] : [];
  });
}
