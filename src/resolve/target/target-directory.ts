import { isServiceName, SERVICE_FORM } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { invalidTarget } from "./invalid-target.js";
import type { DirectoryTarget } from "./target-kind.js";
import { parseAddresses } from "./target-static.js";

const FORM = "directory://host:port[,host:port]/SERVICE, such as directory://127.0.0.1:8100/mnist";

/** Reads what follows `directory://`. */
export function parseDirectoryTarget(text: string, rest: string): DirectoryTarget {
  const slash = rest.indexOf("/");
  const list = slash < 0 ? rest : rest.slice(0, slash);
  const service = slash < 0 ? "" : rest.slice(slash + 1);
  if (list === "") throw invalidTarget(`target is ${seen(text)}, which names no directory`, FORM);
  if (service === "") throw invalidTarget(`target is ${seen(text)}, which names no service`, FORM);
  const directories = parseAddresses(text, list);
  if (!isServiceName(service)) {
    throw invalidTarget(
      `target is ${seen(text)}, where the service is ${seen(service)}`,
      SERVICE_FORM,
    );
  }
  return { kind: "directory", text, service, directories };
}
