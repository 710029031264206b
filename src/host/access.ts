import { BUILTIN_PREFIX, type BuiltinWay, builtins } from "../builtin/registry.js";
import type { ServingError } from "../core/serving-error.js";
import { adminRefusal } from "../server/admin-gate.js";
import type { RequestHead } from "../server/request-head.js";
import { createLiveTokenGuard, type LiveTokenGuard } from "../server/token-guard.js";
import { builtinHead, pingRpc } from "../wire/builtin.js";
import { healthPaths } from "../wire/health.js";
import { reflectionPaths } from "../wire/reflection.js";
import type { OpenPath, ResolvedHostOptions } from "./host-options.js";
import { HEALTH_PATHS, METRICS_PATH } from "./http-routes.js";
import { createSignatureRules, refusedAuthorization } from "./signature-rules.js";

/** Decides, from the head of a request alone, whether it is let in. */
export type Access = (head: RequestHead) => ServingError | undefined;

/** The guards of a host's tokens. */
export interface HostGuards {
  readonly token: LiveTokenGuard;
  readonly adminToken: LiveTokenGuard;
}

/**
 * Makes the guards of a host's tokens.
 *
 * @throws ConfigError `INVALID_OPTION` for an empty token.
 */
export function createHostGuards(options: ResolvedHostOptions): HostGuards {
  return {
    token: createLiveTokenGuard(options.token, "options.token"),
    adminToken: createLiveTokenGuard(options.adminToken, "options.adminToken"),
  };
}

/** Makes the rules of a host: paths that are open, paths that change state, and the token for everything else. */
export function createAccess(
  options: ResolvedHostOptions,
  wallNowMs: () => number,
  guards: HostGuards = createHostGuards(options),
): Access {
  const { token: guard, adminToken: adminGuard } = guards;
  const open = openPaths(options);
  const admin = adminWays();
  const signed = createSignatureRules(options, wallNowMs);
  return (head) => {
    if (admin.get(head.path)?.has(head.method) === true) {
      const refusal = adminRefusal(head, adminGuard);
      // Without an admin token the caller's place is checked instead, which does not do for the token.
      if (refusal !== undefined || !adminGuard.open) return refusal ?? signed(head);
    }
    if (guard.open || open.has(head.path)) return undefined;
    const ok = guard.acceptsRequest(head) || (!adminGuard.open && adminGuard.acceptsRequest(head));
    return ok ? signed(head) : refusedAuthorization(head);
  };
}

/** Every way to change the host's state: path to HTTP verbs; RPCs are POSTs. */
function adminWays(): ReadonlyMap<string, ReadonlySet<string>> {
  const changing = (ways: readonly BuiltinWay[]): readonly string[] =>
    ways.filter((way) => way.changesState).map((way) => way.name);
  const rpc = new Set(["POST"]);
  return new Map(
    builtins.flatMap(({ name, verbs, methods }) => [
      [BUILTIN_PREFIX + name, new Set(changing(verbs))] as const,
      ...changing(methods).map((method) => [builtinHead(method).path, rpc] as const),
    ]),
  );
}

/** What each name of the option `open` lets in. */
const opened: Readonly<Record<OpenPath, readonly string[]>> = {
  health: [...HEALTH_PATHS, ...healthPaths],
  ping: [`${BUILTIN_PREFIX}ping`, pingRpc.path],
  metrics: [METRICS_PATH],
  reflection: reflectionPaths,
};

function openPaths(options: ResolvedHostOptions): ReadonlySet<string> {
  return new Set(options.open.flatMap((name) => opened[name]));
}
