import type { Instance } from "../../core/instance.js";
import { emptyMetadata, metadataOf } from "../../core/metadata.js";
import { servingError } from "../../core/serving-error.js";
import type { Snapshot } from "../../core/snapshot.js";
import { createGrpcTransport } from "../../transport/grpc-transport.js";
import { tlsOf, usesTls } from "../channel-flags.js";
import { warnOfClearToken } from "../clear-token.js";
import type { CliContext } from "../command.js";
import { HEALTH_LIMIT, type ResolveFlags } from "./flags.js";
import { healthOf, type InstanceHealth } from "./health.js";

/** What the instances of a list have said. */
export interface ListHealth {
  /** By the instances' keys; those of weight 0 are not asked. */
  readonly byKey: ReadonlyMap<string, InstanceHealth>;
  /** How many of those with a weight were left out, being too many. */
  readonly leftOut: number;
}

/** Asks the instances of a list. */
export type AskHealth = (snapshot: Snapshot) => Promise<ListHealth>;

const MAX_ANSWER_BYTES = 64 * 1024;
const CONNECT_MS = 2_000;

/**
 * Makes what asks for health as the flags say.
 *
 * @returns undefined when they do not ask for it
 * @throws ConfigError `INVALID_OPTION`
 */
export async function askHealthOf(
  flags: ResolveFlags,
  context: CliContext,
): Promise<AskHealth | undefined> {
  if (flags.health !== true) {
    if (flags.all !== true) return undefined;
    throw servingError("INVALID_OPTION", "--all is given without --health");
  }
  const { clock, signal, token } = context;
  const tls = await tlsOf(flags, context);
  const metadata = token === undefined ? emptyMetadata : metadataOf({ authorization: token });
  const connect = (instance: Instance) =>
    createGrpcTransport(instance, {
      tls: tls === true ? {} : tls,
      maxMessageBytes: MAX_ANSWER_BYTES,
      pingIntervalMs: 0,
      connectTimeoutMs: CONNECT_MS,
    });
  let warned = false;
  return async ({ instances }) => {
    const usable = instances.filter(({ weight }) => weight > 0);
    const asked = flags.all === true ? usable : usable.slice(0, HEALTH_LIMIT);
    if (!warned && !usesTls(flags)) warnOfClearToken(token, asked, context);
    warned = true;
    const byKey = await healthOf(asked, { connect, metadata, clock, signal });
    return { byKey, leftOut: usable.length - asked.length };
  };
}

/** How many serve. */
export function servingCount({ byKey }: ListHealth): number {
  return [...byKey.values()].filter(({ status }) => status === "serving").length;
}
