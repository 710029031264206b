import { didYouMean } from "../../core/nearest.js";
import { seen } from "../../core/options.js";
import { invalidTarget } from "./invalid-target.js";
import { parseDirectoryTarget } from "./target-directory.js";
import { parseDnsTarget } from "./target-dns.js";
import { parseEtcdTarget } from "./target-etcd.js";
import { parseFileTarget } from "./target-file.js";
import { parseHttpTarget } from "./target-http.js";
import type { Target } from "./target-kind.js";
import { parseKubernetesTarget } from "./target-kubernetes.js";
import { parseBareList, parseStaticTarget } from "./target-static.js";

export type { Target };

const schemes: readonly string[] = [
  "static",
  "directory",
  "http",
  "https",
  "file",
  "dns",
  "srv",
  "etcd",
  "kubernetes",
];

/** Those with a server between the second slash and the third, if with any at all. */
const threeSlashes: readonly string[] = ["static", "file", "dns", "srv", "kubernetes"];

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s;
const SLASHLESS = /^([A-Za-z]+):(?!\d{1,5}(?:,|$))/;

/**
 * Reads a target: `host:port[,host:port]`, `static:///a:1,b:2?weight=100,50`, `directory://a:8100,b:8100/SERVICE`,
 * `http(s)://HOST/PATH/upstreams/SERVICE`, `file:///PATH.json`, `dns:///NAME:PORT`, `srv:///NAME`,
 * `etcd://a:2379,b:2379/PREFIX/SERVICE` or `kubernetes:///NAMESPACE/SERVICE:PORT`.
 *
 * @throws ConfigError `INVALID_TARGET` that shows what was seen and what is expected.
 */
export function parseTarget(text: string): Target {
  if (typeof text !== "string" || text === "") {
    throw invalidTarget(`target is ${text === "" ? "empty" : seen(text)}`);
  }
  const match = SCHEME.exec(text);
  if (match === null) {
    refuseSlashless(text);
    return parseBareList(text);
  }
  const [, given = "", rest = ""] = match;
  const scheme = given.toLowerCase();
  switch (scheme) {
    case "static":
      return parseStaticTarget(text, rest);
    case "directory":
      return parseDirectoryTarget(text, rest);
    case "etcd":
      return parseEtcdTarget(text, rest);
    case "http":
    case "https":
      return parseHttpTarget(text);
    case "file":
      return parseFileTarget(text, rest);
    case "dns":
    case "srv":
      return parseDnsTarget(scheme, text, rest);
    case "kubernetes":
      return parseKubernetesTarget(text, rest);
    default:
      throw invalidTarget(
        `target is ${seen(text)}, there is no scheme "${given}"${didYouMean(scheme, schemes)}`,
      );
  }
}

/** `dns:name:80` and the like: a scheme of the kit without its slashes, which is no `host:port` either. */
function refuseSlashless(text: string): void {
  const scheme = SLASHLESS.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || !schemes.includes(scheme)) return;
  const slashes = threeSlashes.includes(scheme) ? ":///" : "://";
  throw invalidTarget(`target is ${seen(text)}, "${scheme}" is followed by "${slashes}"`);
}
