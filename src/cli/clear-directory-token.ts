import type { ChannelOptions } from "../client/client-options.js";
import { addressText } from "../core/instance.js";
import { parseTarget } from "../resolve/target/target.js";
import { type TokenPlace, warnOfClearToken } from "./clear-token.js";
import type { CliContext } from "./command.js";

/**
 * Warns of a `directoryToken` that goes to another machine without TLS.
 *
 * @throws ConfigError `INVALID_TARGET`
 */
export function warnOfClearDirectoryToken(
  { target, directoryToken, directoryTls }: ChannelOptions,
  context: Pick<CliContext, "terminal">,
): void {
  if (directoryToken === undefined) return;
  const places = clearPlaces(target, directoryTls !== undefined);
  warnOfClearToken(directoryToken, places, context, "the directory's token");
}

/** Over http TLS goes by the scheme. Kubernetes is sent no token in clear beyond this machine, the other kinds none at all. */
function clearPlaces(text: string, tls: boolean): readonly TokenPlace[] {
  const target = parseTarget(text);
  if (target.kind === "directory" && !tls) {
    return target.directories.map(({ host, port }) => ({ host, key: addressText(host, port) }));
  }
  if (target.kind !== "http") return [];
  return target.directories.flatMap(([address = ""]) => {
    const { protocol, hostname, host } = new URL(address);
    return protocol === "http:" ? [{ host: hostname.replace(/^\[(.*)\]$/, "$1"), key: host }] : [];
  });
}
