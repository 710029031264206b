import { seen } from "../../core/options.js";
import { invalidTarget } from "./invalid-target.js";
import type { KubernetesTarget } from "./target-kind.js";
import { parseAddresses } from "./target-static.js";

const FORM =
  "kubernetes:///NAMESPACE/SERVICE:PORT, such as kubernetes:///default/mnist:grpc, or kubernetes://HOST:PORT/... for a certain API server";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_FORM = "lower-case letters, digits and -, at most 63, none of them - at either end";

/** Reads what follows `kubernetes://`. */
export function parseKubernetesTarget(text: string, rest: string): KubernetesTarget {
  const [server = "", namespace = "", service = "", ...more] = rest.split("/");
  if (namespace === "" || service === "" || more.length > 0) {
    throw invalidTarget(`target is ${seen(text)}`, FORM);
  }
  const colon = service.indexOf(":");
  const name = colon < 0 ? service : service.slice(0, colon);
  checkLabel(text, "namespace", namespace);
  checkLabel(text, "service", name);
  if (colon < 0) {
    throw invalidTarget(
      `target is ${seen(text)}, which names no port`,
      `${text.slice(0, 80)}:PORT`,
    );
  }
  return {
    kind: "kubernetes",
    text,
    service: `${namespace}/${name}`,
    namespace,
    name,
    port: parsePort(text, service.slice(colon + 1)),
    ...(server === "" ? {} : { server: parseServer(text, server) }),
  };
}

function checkLabel(text: string, what: string, label: string): void {
  if (LABEL.test(label)) return;
  throw invalidTarget(`target is ${seen(text)}, where the ${what} is ${seen(label)}`, LABEL_FORM);
}

function parsePort(text: string, port: string): number | string {
  const number = /^\d+$/.test(port) ? Number(port) : undefined;
  const usable = number === undefined ? LABEL.test(port) : number >= 1 && number <= 65_535;
  if (usable) return number ?? port;
  throw invalidTarget(
    `target is ${seen(text)}, where the port is ${seen(port)}`,
    "1 to 65535 as the pods have it, or a port's name",
  );
}

function parseServer(text: string, server: string): NonNullable<KubernetesTarget["server"]> {
  const [first, second] = parseAddresses(text, server);
  if (first === undefined || second !== undefined) {
    throw invalidTarget(`target is ${seen(text)}, which names several API servers`, "one address");
  }
  return first;
}
