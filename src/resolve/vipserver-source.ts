import { parseEndpoint } from "../core/endpoint.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { type HttpGet, httpGet } from "../transport/http-get.js";
import { vipserverAnswerFromJson } from "../wire/upstream-json.js";
import { createPolledSource, type PollAnswer } from "./polled-source.js";
import type { Source } from "./source.js";
import type { SourceOptions } from "./source-options.js";
import type { VipserverTarget } from "./target/target-kind.js";

/** For each of the two questions. */
const TIMEOUT_MS = 2_500;

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** What the VIPServer source needs. */
export interface VipserverSourceOptions extends SourceOptions {
  /** How a GET is done; over node:http unless a test says otherwise. */
  readonly get?: HttpGet;
}

/**
 * Makes the source of a domain of VIPServer: asks for its servers, and one of those, drawn anew for each poll, for the
 * domain's hosts.
 */
export function createVipserverSource(
  target: VipserverTarget,
  options: VipserverSourceOptions,
): Source {
  const { domain, serverList } = target;
  const { random, clock, get = httpGet } = options;

  async function textAt(url: string, signal: AbortSignal): Promise<string> {
    const limits = { timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_BODY_BYTES };
    const { status, body } = await get({ url, headers: {}, ...limits, clock, signal });
    if (status === 200) return new TextDecoder().decode(body);
    throw servingError("DIRECTORY_FAILED", `${url} answered ${status}, expected 200`);
  }

  async function ask(signal: AbortSignal): Promise<PollAnswer> {
    const servers = serversFrom(await textAt(`http://${serverList}${SERVERS_PATH}`, signal));
    const server = servers[Math.floor(random() * servers.length)];
    if (server === undefined) {
      throw servingError("DIRECTORY_FAILED", `${serverList} lists no server of VIPServer`);
    }
    const query = new URLSearchParams({ dom: domain, clusters: "DEFAULT" });
    return vipserverAnswerFromJson(await textAt(`http://${server}${HOSTS_PATH}?${query}`, signal));
  }

  return createPolledSource({ name: `vipserver:${domain}`, service: domain, ask }, options);
}

const SERVERS_PATH = "/vipserver/serverlist";
const HOSTS_PATH = "/vipserver/api/srvIPXT";

/** One address a line; what it says may come from anywhere, so nothing else goes into a URL. */
function serversFrom(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter(Boolean).map((line) => {
    if (parseEndpoint(line.includes(":") ? line : `${line}:80`)?.host) return line;
    throw servingError("DIRECTORY_FAILED", `a server of VIPServer is ${seen(line)}`);
  });
}
