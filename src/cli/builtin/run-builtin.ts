import { BUILTIN_PREFIX, type BuiltinEntry, builtins } from "../../builtin/registry.js";
import { channelDefaults } from "../../client/client-options.js";
import type { Instance } from "../../core/instance.js";
import { didYouMean } from "../../core/nearest.js";
import { seen } from "../../core/options.js";
import { isRecord } from "../../core/record.js";
import { ServingError, servingError } from "../../core/serving-error.js";
import type { Snapshot } from "../../core/snapshot.js";
import { timeoutOf, tlsOf, usesTls } from "../channel-flags.js";
import { warnOfClearToken } from "../clear-token.js";
import type { CliContext } from "../command.js";
import { errorJson } from "../error-json.js";
import { exitCodeOf } from "../exit-code.js";
import { pairOf } from "../flag-values.js";
import { printableLine } from "../printable.js";
import { readData } from "../read-data.js";
import { tokenOf } from "../token-of.js";
import { withChannel } from "../with-channel.js";
import type { BuiltinFlags } from "./flags.js";
import { exchange, type HttpExchange } from "./http-exchange.js";

/**
 * Runs `inferwire builtin`.
 *
 * @returns the exit code of the first instance that failed; 0 when none did
 */
export async function runBuiltin(
  name: string,
  target: string,
  flags: BuiltinFlags,
  context: CliContext,
): Promise<number> {
  const asked = await requestOf(name, flags, context);
  return await withChannel(target, flags, context, async ({ snapshot }) => {
    const instances = chosen(snapshot, flags);
    if (asked.changesState && instances.length > 1 && flags.all !== true) {
      throw servingError(
        "INVALID_OPTION",
        `${name} changes what ${instances.length} instances do; give --all, or --instance for one of ${keysOf(instances)}`,
      );
    }
    if (!usesTls(flags)) warnOfClearToken(asked.request.token, instances, context);
    const codes = await Promise.all(instances.map((each) => runOn(each, asked, context)));
    return codes.find((code) => code !== 0) ?? 0;
  });
}

interface BuiltinRequest {
  readonly request: HttpExchange;
  readonly changesState: boolean;
  readonly answersJson: boolean;
}

async function requestOf(
  name: string,
  flags: BuiltinFlags,
  context: CliContext,
): Promise<BuiltinRequest> {
  const entry = builtins.find((builtin) => builtin.name === name);
  if (entry === undefined) {
    const known = builtins.map((builtin) => builtin.name);
    throw servingError("INVALID_OPTION", `no builtin ${name}${didYouMean(name, known)}`);
  }
  const body = await bodyOf(entry, flags, context);
  const { name: verb, changesState } = wayOf(entry, body);
  const parameters = (flags.query ?? []).map((text) => pairOf(text, "--query"));
  const query = new URLSearchParams(parameters).toString();
  const tls = await tlsOf(flags, context);
  const adminToken = flags.adminToken ?? (await tokenOf("adminToken", context));
  const request: HttpExchange = {
    verb: verb === "GET" ? "GET" : "POST",
    path: `${BUILTIN_PREFIX}${name}${query === "" ? "" : `?${query}`}`,
    body: body ?? new Uint8Array(0),
    token: (changesState ? adminToken : undefined) ?? context.token,
    tls: tls === true ? {} : tls,
    timeoutMs: timeoutOf(flags) ?? channelDefaults.timeoutMs,
    clock: context.clock,
    signal: context.signal,
  };
  return { request, changesState, answersJson: entry.name !== "call" };
}

/** What is sent; undefined for nothing. */
async function bodyOf(
  { name }: BuiltinEntry,
  { data, set = [] }: BuiltinFlags,
  context: CliContext,
): Promise<Uint8Array | undefined> {
  if (set.length === 0) return data === undefined ? undefined : await readData(data, context);
  if (name !== "prop") throw servingError("INVALID_OPTION", `--set is for prop, not for ${name}`);
  if (data !== undefined)
    throw servingError("INVALID_OPTION", "--set and --data are given together");
  const values = Object.fromEntries(set.map((text) => pairOf(text, "--set")));
  return Buffer.from(JSON.stringify(values));
}

/** Reading where there is nothing to send, unless the builtin only takes requests with a body. */
function wayOf(
  { name, verbs }: BuiltinEntry,
  body: Uint8Array | undefined,
): BuiltinEntry["verbs"][number] {
  const wanted = body === undefined ? "GET" : "POST";
  const way = verbs.find((verb) => verb.name === wanted) ?? verbs[0];
  if (way !== undefined && (body === undefined || way.name === wanted)) return way;
  throw servingError("INVALID_OPTION", `${name} takes no --data`);
}

/** Those that are meant. */
function chosen({ instances }: Snapshot, { instance: wanted }: BuiltinFlags): readonly Instance[] {
  if (wanted === undefined) return instances;
  const found = instances.filter(({ key, name }) => key === wanted || name === wanted);
  if (found.length > 0) return found;
  const known = instances.flatMap(({ key, name }) => [key, name]);
  throw servingError(
    "INVALID_OPTION",
    `no instance ${wanted}${didYouMean(wanted, new Set(known))}`,
  );
}

function keysOf(instances: readonly Instance[]): string {
  return instances.map(({ key }) => key).join(", ");
}

/** Runs it on one instance, and shows what came of it. */
async function runOn(
  instance: Instance,
  wanted: BuiltinRequest,
  { terminal, signal }: CliContext,
): Promise<number> {
  const { key, name } = instance;
  const title = name === key ? key : `${key} (${name})`;
  try {
    const answer = answerIn(await exchange(instance, wanted.request), wanted);
    const shown = typeof answer === "string" ? answer : JSON.stringify(answer, undefined, 2);
    terminal.result({ instance: key, name, answer }, `${title}\n${indented(shown)}`);
    return 0;
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const error = ServingError.from(thrown);
    terminal.fail(
      { instance: key, name, ...errorJson(error) },
      `${title}\n  error: ${printableLine(error.message)}`,
    );
    return exitCodeOf(error);
  }
}

/**
 * What a builtin has answered: an object in JSON, but for functions of the processor, whose answers may be anything.
 *
 * @throws CallError `ANSWER_MALFORMED` when it is something else, as from a server that is no host.
 */
function answerIn(body: Uint8Array, { request, answersJson }: BuiltinRequest): unknown {
  const text = textIn(body);
  const json = text === undefined ? undefined : jsonIn(text);
  if (!answersJson) return json ?? text ?? { base64: Buffer.from(body).toString("base64") };
  if (isRecord(json)) return json;
  const was = text === undefined ? `${body.length} bytes that are no text` : seen(text);
  throw servingError("ANSWER_MALFORMED", `${request.path}: the answer is ${was}, expected JSON`);
}

function textIn(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    // Bytes, then.
    return undefined;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text, then.
    return undefined;
  }
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
