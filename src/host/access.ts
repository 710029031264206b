import { type BuiltinEntry, builtins } from "../builtin/registry.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { BUILTIN_PREFIX } from "../door/builtin-http.js";
import { adminRefusal } from "../server/admin-gate.js";
import type { RequestHead } from "../server/request-head.js";
import { createTokenGuard } from "../server/token-guard.js";
import { adminBuiltinPaths, pingRpc } from "../wire/builtin.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { HEALTH_PATHS } from "./http-routes.js";

/** Decides, from the head of a request alone, whether it is let in. */
export type Access = (head: RequestHead) => ServingError | undefined;

/**
 * Makes the rules of a host: paths that are open, paths that change state, and the token for everything else.
 *
 * @throws ConfigError `INVALID_OPTION` for an empty token.
 */
export function createAccess(options: ResolvedHostOptions): Access {
  const guard = createTokenGuard(options.token, "options.token");
  const adminGuard = createTokenGuard(options.adminToken, "options.adminToken");
  const open = openPaths(options);
  const admin: ReadonlySet<string> = new Set([
    ...builtins.filter((b: BuiltinEntry) => b.changesState).map((b) => BUILTIN_PREFIX + b.name),
    ...adminBuiltinPaths,
  ]);
  return (head) => {
    if (admin.has(head.path)) {
      const refusal = adminRefusal(head, adminGuard);
      // Without an admin token the caller's place is checked instead, which does not do for the token.
      if (refusal !== undefined || !adminGuard.open) return refusal;
    }
    if (guard.open || open.has(head.path)) return undefined;
    const authorization = head.metadata.get("authorization");
    if (guard.accepts(authorization)) return undefined;
    if (!adminGuard.open && adminGuard.accepts(authorization)) return undefined;
    const what = authorization === undefined ? "no authorization" : "a wrong token";
    return servingError("UNAUTHENTICATED", `${what}, expected the host's token as authorization`);
  };
}

function openPaths(options: ResolvedHostOptions): ReadonlySet<string> {
  return new Set([
    ...(options.open.includes("health") ? HEALTH_PATHS : []),
    ...(options.open.includes("ping") ? [`${BUILTIN_PREFIX}ping`, pingRpc.path] : []),
  ]);
}
