import { isServiceName, SERVICE_FORM } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { invalidTarget } from "./invalid-target.js";
import type { EtcdTarget } from "./target-kind.js";
import { parseAddresses } from "./target-static.js";

const FORM =
  "etcd://host:port[,host:port]/PREFIX/SERVICE, such as etcd://127.0.0.1:2379/services/mnist";

/** Parts of a key, the last one behind a slash; a question mark would look like a parameter that is ignored. */
const PREFIX = /^\/?(?:[\x21-\x2e\x30-\x3e\x40-\x7e]+\/)*$/;

/** Reads what follows `etcd://`. */
export function parseEtcdTarget(text: string, rest: string): EtcdTarget {
  const slash = rest.indexOf("/");
  const list = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash + 1);
  if (list.includes("@")) {
    // Not shown: the message would carry the secret into logs.
    throw invalidTarget(
      "target is an etcd address with a user or password",
      "one without, and the option directoryTls with a client's certificate",
    );
  }
  if (list === "") throw invalidTarget(`target is ${seen(text)}, which names no member`, FORM);
  const end = path.lastIndexOf("/") + 1;
  const service = path.slice(end);
  if (service === "") throw invalidTarget(`target is ${seen(text)}, which names no service`, FORM);
  const members = parseAddresses(text, list);
  if (!isServiceName(service)) {
    throw invalidTarget(
      `target is ${seen(text)}, where the service is ${seen(service)}`,
      SERVICE_FORM,
    );
  }
  if (!PREFIX.test(path.slice(0, end))) {
    throw invalidTarget(
      `target is ${seen(text)}, where the prefix is ${seen(path.slice(0, end))}`,
      "printable ASCII without spaces and question marks, no part empty",
    );
  }
  return { kind: "etcd", text, service, members, prefix: `${path}/` };
}
