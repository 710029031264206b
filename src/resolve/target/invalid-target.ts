import { servingError } from "../../core/serving-error.js";

/** Every form that a target may have in this version. */
const FORMS: readonly string[] = [
  "host:port[,host:port]",
  "static:///host:port[,host:port][?weight=100,50]",
  "directory://host:port[,host:port]/SERVICE",
  "http(s)://HOST/PATH/upstreams/SERVICE",
  "etcd://host:port[,host:port]/PREFIX/SERVICE",
  "file:///PATH.json",
  "dns://[SERVER[:PORT]]/NAME:PORT",
  "srv://[SERVER[:PORT]]/NAME",
  "kubernetes://[HOST:PORT]/NAMESPACE/SERVICE:PORT",
];

/**
 * Makes the error of a target that cannot be read.
 *
 * @param seen - What was seen and, where it is known, what is wrong with it.
 * @param expected - What is expected there; every form when left out.
 */
export function invalidTarget(seen: string, expected?: string): Error {
  const wanted = expected ?? `one of ${FORMS.join(" | ")}`;
  return servingError("INVALID_TARGET", `${seen}; expected ${wanted}`);
}
