import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { type ChannelOptions, channelDefaults } from "../client/client-options.js";
import { LONGEST_TIMER_MS } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import type { ClientTls } from "../transport/transport.js";
import type { CliContext } from "./command.js";
import { numberOf } from "./flag-values.js";

/** Flags of every command that connects to something. */
export interface ConnectionFlags {
  readonly timeout?: string;
  readonly tls?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

/** Flags of every command that reaches instances, or those who list them. */
export interface ChannelFlags extends ConnectionFlags {
  readonly directoryToken?: string;
  readonly directoryTls?: boolean;
}

/** Adds the flags of {@link ConnectionFlags}. */
export function configureConnectionFlags(command: Command): void {
  command
    .option(
      "--timeout <ms>",
      `how long it may take, in milliseconds (default: ${channelDefaults.timeoutMs})`,
    )
    .option("--tls", "use TLS, trusting the system's authorities unless --ca is given")
    .option("--ca <file>", "authorities to trust, PEM; implies --tls")
    .option("--cert <file>", "certificate to show, PEM; implies --tls")
    .option("--key <file>", "key of --cert, PEM")
    .option("--server-name <name>", "name that the certificate must carry; implies --tls");
}

/** Adds the flags of {@link ChannelFlags}. */
export function configureChannelFlags(command: Command): void {
  configureConnectionFlags(command);
  command
    .option(
      "--directory-token <text>",
      "token for who lists the instances: directories, EAS, Kubernetes (default: INFERWIRE_DIRECTORY_TOKEN, or INFERWIRE_DIRECTORY_TOKEN_FILE)",
    )
    .option(
      "--directory-tls",
      "use TLS to who lists the instances, too (directories, etcd, Kubernetes), with the same files",
    );
}

/** What a channel to a target is opened with. */
export async function channelOptionsOf(
  target: string,
  flags: ChannelFlags,
  context: CliContext,
): Promise<ChannelOptions> {
  const tls = await tlsOf(flags, context);
  const timeoutMs = timeoutOf(flags);
  // Flags are described without it: it knows all options of a host.
  const { tokenOf } = await import("./token-of.js");
  const { warnOfClearDirectoryToken } = await import("./clear-directory-token.js");
  const options = {
    target,
    token: context.token,
    tls,
    timeoutMs,
    firstListTimeoutMs: timeoutMs,
    directoryToken: flags.directoryToken ?? (await tokenOf("directoryToken", context)),
    directoryTls: flags.directoryTls === true ? (tls ?? true) : undefined,
  };
  warnOfClearDirectoryToken(options, context);
  return options;
}

/**
 * Reads `--timeout`.
 *
 * @returns milliseconds; undefined when it is not given
 * @throws ConfigError `INVALID_OPTION`
 */
export function timeoutOf({ timeout }: ConnectionFlags): number | undefined {
  return numberOf(timeout, "--timeout", { min: 1, max: LONGEST_TIMER_MS });
}

/** Whether calls use TLS. */
export function usesTls({ tls, ca, cert, serverName }: ConnectionFlags): boolean {
  return tls === true || ca !== undefined || cert !== undefined || serverName !== undefined;
}

/**
 * Reads the flags and files of TLS.
 *
 * @returns undefined when none of them is given
 * @throws ConfigError `INVALID_OPTION` for a file that cannot be read.
 */
export async function tlsOf(
  flags: ConnectionFlags,
  context: CliContext,
): Promise<true | ClientTls | undefined> {
  const { ca, cert, key, serverName } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    throw servingError("INVALID_OPTION", "--cert and --key are given together or not at all");
  }
  if (!usesTls(flags)) return undefined;
  // grpc-js names IP addresses to TLS, of which Node warns; whoever runs a command can do nothing about it.
  if (!context.debug) process.noDeprecation = true;
  if (ca === undefined && cert === undefined && serverName === undefined) return true;
  return {
    ca: await pem(ca, "--ca", context),
    cert: await pem(cert, "--cert", context),
    key: await pem(key, "--key", context),
    serverName,
  };
}

async function pem(
  path: string | undefined,
  flag: string,
  { folder }: CliContext,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(resolve(folder, path), "utf8");
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${flag} names ${path}, which is unreadable`, { cause });
  }
}
