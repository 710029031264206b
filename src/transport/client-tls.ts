import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { fillOptions, seen } from "../core/options.js";
import { type Clock, type Logger, systemClock } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import type { ClientTls } from "./transport.js";

const noTls: { readonly [K in keyof Required<ClientTls>]: undefined } = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  serverName: undefined,
};

/**
 * Files are looked at once in so many milliseconds, however many connections are made: a file system that hangs holds up
 * the whole process.
 */
const LOOK_MS = 1_000;

const BLOCK = "-----BEGIN ";

const parts = ["ca", "cert", "key"] as const;

type Part = (typeof parts)[number];

/** What is known of one object: all transports of a channel share it, and reading certificates costs milliseconds. */
interface KnownTls {
  readonly option: string;
  readonly logger: Logger | undefined;
  readonly clock: Clock;
  lookedMs: number;
  context: SecureContext | undefined;
  /** How the files looked when they were read; empty when there are none. */
  stamp: string;
  /** The files are of no use since they changed: they are read at every look, and the log has been told. */
  broken: boolean;
}

const known = new WeakMap<ClientTls, KnownTls>();

/**
 * Checks TLS towards another server, and reads its files.
 *
 * @param logger - told when files that change later cannot be used, and when they can again
 * @param clock - says when the files may be looked at again
 * @throws ConfigError `UNKNOWN_OPTION`, or `INVALID_OPTION` for what cannot be used, naming the option.
 */
export function checkClientTls(
  tls: ClientTls | undefined,
  option: string,
  logger?: Logger,
  clock: Clock = systemClock,
): ClientTls | undefined {
  if (tls === undefined) return undefined;
  const filled = fillOptions<ClientTls>(tls, noTls, option);
  known.set(filled, readTls(filled, { option, logger, clock }));
  return filled;
}

/**
 * Certificates and keys for one connection that is to be made: the same context for the same object, until it is seen that
 * its files have changed. Files of no use leave the context as it was.
 *
 * @param option - the option's name, for the message
 * @returns undefined when there are none, so that the system's authorities are trusted
 * @throws ConfigError `INVALID_OPTION` when certificate and key do not make a pair, or are no PEM, at the first time.
 */
export function secureContext(tls: ClientTls, option: string): SecureContext | undefined {
  const made = known.get(tls) ?? readTls(tls, { option, logger: undefined, clock: systemClock });
  known.set(tls, made);
  if (hasTlsFiles(tls)) readAnew(tls, made);
  return made.context;
}

/** Whether the context may be another one for the next connection. */
export function hasTlsFiles({ caFile, certFile, keyFile }: ClientTls): boolean {
  return caFile !== undefined || certFile !== undefined || keyFile !== undefined;
}

function readTls(tls: ClientTls, setting: Pick<KnownTls, "option" | "logger" | "clock">): KnownTls {
  const lookedMs = setting.clock.now();
  // Before the files are read: what changes in between is found next time.
  const stamp = stampOf(tls);
  const context = readContext(tls, setting.option);
  return { ...setting, lookedMs, context, stamp, broken: false };
}

function readAnew(tls: ClientTls, made: KnownTls): void {
  const now = made.clock.now();
  if (now - made.lookedMs < LOOK_MS) return;
  made.lookedMs = now;
  const stamp = stampOf(tls);
  if (stamp === made.stamp && !made.broken) return;
  const { option, logger } = made;
  try {
    made.context = readContext(tls, option);
    made.stamp = stamp;
    made.broken = false;
    logger?.info({ option }, "certificates have been read anew");
  } catch (error) {
    // Certificate and key are two files: between the two writes they are no pair.
    const { message } = ServingError.from(error);
    if (!made.broken) {
      logger?.warn(
        { option, error: message },
        "changed certificates cannot be used, the old ones stay",
      );
    }
    made.broken = true;
  }
}

function stampOf(tls: ClientTls): string {
  return parts.map((part) => fileStamp(tls[`${part}File`])).join();
}

function fileStamp(path: string | undefined): string {
  if (path === undefined) return "";
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}:${size}:${ino}`;
  } catch {
    // Reading it says what is wrong.
    return "none";
  }
}

function readContext(tls: ClientTls, option: string): SecureContext | undefined {
  const hasCert = (tls.cert ?? tls.certFile) !== undefined;
  const hasKey = (tls.key ?? tls.keyFile) !== undefined;
  if (hasCert !== hasKey) {
    const [given, missing] = hasCert ? ["cert", "key"] : ["key", "cert"];
    const half = `${option}.${given} is given without ${option}.${missing}`;
    throw servingError("INVALID_OPTION", half);
  }
  const [ca, cert, key] = parts.map((part) => pemOf(tls, part, option));
  if (ca === undefined && cert === undefined) return undefined;
  try {
    // OpenSSL takes authorities that are no certificates without a word.
    if (ca !== undefined) new X509Certificate(ca);
    return createSecureContext({ ca, cert, key });
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${option}: ca, cert or key is no usable PEM`, { cause });
  }
}

function pemOf(tls: ClientTls, part: Part, option: string): string | undefined {
  const given = tls[part];
  const path = tls[`${part}File`];
  if (given !== undefined && path !== undefined) {
    const both = `${option}.${part} and ${option}.${part}File are both given, expected one`;
    throw servingError("INVALID_OPTION", both);
  }
  if (path !== undefined) return fileText(path, `${option}.${part}File`);
  if (given === undefined) return undefined;
  const text = typeof given === "string" ? given : Buffer.from(given).toString("latin1");
  // A path instead of its content is the usual mistake.
  if (text.includes(BLOCK)) return text;
  throw servingError("INVALID_OPTION", `${option}.${part} is no PEM, expected a file's content`);
}

function fileText(path: string, option: string): string {
  if (typeof path !== "string" || path === "") {
    throw servingError("INVALID_OPTION", `${option} is ${seen(path)}, expected a path`);
  }
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${option} ${path} cannot be read`, { cause });
  }
  if (isWholePem(text)) return text;
  throw servingError("INVALID_OPTION", `${option} ${path} is no PEM, or not a whole one`);
}

/** While a file is being written its last block is cut off, and OpenSSL would go without it. */
function isWholePem(text: string): boolean {
  const begun = text.split(BLOCK).length;
  return begun > 1 && begun === text.split("-----END ").length;
}
