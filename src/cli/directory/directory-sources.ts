import type { DirectoryOptions } from "../../directory/directory-options.js";
import { environmentVariables, variableOf } from "../../host/environment-options.js";
import { hostDefaults } from "../../host/host-options.js";
import { refuseUnknownVariables } from "../../host/option-texts.js";
import { readBoolean } from "../../host/read-value.js";
import { createLogger, type LogLevel } from "../../server/logger.js";
import type { CliContext } from "../command.js";
import { flagName } from "../flag-name.js";
import type { DirectoryFlags } from "./flags.js";

type Reader = (text: string, where: string) => unknown;

/** How a host reads its option of this name: what both have is read in one way. */
function asHost(name: string): Reader {
  const variable = variableOf(name);
  const known = environmentVariables.find((one) => one.variable === variable);
  if (known === undefined) throw new Error(`no host's option has the variable ${variable}`);
  return known.read;
}

const readers: Readonly<Record<keyof DirectoryFlags | "readTokenFile", Reader>> = {
  endpoint: asHost("endpoint"),
  store: (text) => text,
  storeTlsCaFile: asHost("directoryTlsCaFile"),
  storeTlsCertFile: asHost("directoryTlsCertFile"),
  storeTlsKeyFile: asHost("directoryTlsKeyFile"),
  storeTlsServerName: asHost("directoryTlsServerName"),
  readToken: asHost("token"),
  readTokenFile: asHost("tokenFile"),
  reduceWeights: readBoolean,
  tlsCertFile: asHost("tlsCertFile"),
  tlsKeyFile: asHost("tlsKeyFile"),
  logLevel: asHost("logLevel"),
};

/**
 * Reads a directory's options: flags, then the variables that are `INFERWIRE_` and the option.
 *
 * @throws ConfigError for what cannot be read, and for variables that nobody knows.
 */
export async function readDirectoryOptions(
  flags: DirectoryFlags,
  { env, token, terminal }: CliContext,
): Promise<DirectoryOptions> {
  const names = Object.keys(readers) as (keyof typeof readers)[];
  refuseUnknownVariables(env, names.map(variableOf));
  const given: Partial<Record<keyof typeof readers, unknown>> = {};
  for (const name of names) {
    const flag = name === "readTokenFile" ? undefined : flags[name];
    const text = flag ?? env[variableOf(name)];
    const where = flag === undefined ? variableOf(name) : flagName(name);
    if (text !== undefined) given[name] = await readers[name](String(text), where);
  }
  const {
    readTokenFile,
    tlsCertFile,
    tlsKeyFile,
    storeTlsCaFile,
    storeTlsCertFile,
    storeTlsKeyFile,
    storeTlsServerName,
    logLevel = hostDefaults.logLevel,
    ...options
  } = given;
  return {
    // Each value has been read in the form of its option; the directory checks it.
    ...(options as DirectoryOptions),
    token,
    readToken: (options.readToken ?? readTokenFile) as string | undefined,
    ...parts("tls", { cert: tlsCertFile, key: tlsKeyFile }),
    ...parts("storeTls", {
      ca: storeTlsCaFile,
      cert: storeTlsCertFile,
      key: storeTlsKeyFile,
      serverName: storeTlsServerName,
    }),
    logger: createLogger(logLevel as LogLevel, { stream: "stderr", json: terminal.json }),
  };
}

/** An option that is made of several; nothing where none of them is given. */
function parts(
  option: "tls" | "storeTls",
  given: Readonly<Record<string, unknown>>,
): DirectoryOptions {
  if (Object.values(given).every((value) => value === undefined)) return {};
  // As above: the directory checks it.
  return { [option]: given };
}
