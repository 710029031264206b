import { isGroupPart } from "../../core/group-name.js";
import { isServiceName } from "../../core/instance.js";
import { isInstanceName } from "../../wire/upstream-item.js";

/** What a key below a directory's prefix holds. */
export type EtcdKey =
  /** A registration, in etcd's naming convention. */
  | { readonly kind: "instance"; readonly service: string; readonly name: string }
  /** An operator's weight. */
  | { readonly kind: "weight"; readonly service: string; readonly name: string }
  /** The traffic shares of a group. */
  | { readonly kind: "traffic"; readonly group: string }
  /** That an instance of a service has registered once. */
  | { readonly kind: "known"; readonly service: string };

/**
 * Writes a key below a prefix: `SERVICE/NAME`, `.weight/SERVICE/NAME`, `.traffic/GROUP`, `.known/SERVICE`.
 *
 * No service begins with a dot, so that settings are no service's instances, and none contains a slash, so that a name may.
 */
export function etcdKeyText(prefix: string, key: EtcdKey): string {
  switch (key.kind) {
    case "instance":
      return `${prefix}${key.service}/${key.name}`;
    case "weight":
      return `${prefix}.weight/${key.service}/${key.name}`;
    case "traffic":
      return `${prefix}.traffic/${key.group}`;
    case "known":
      return `${prefix}.known/${key.service}`;
  }
}

/** Reads a key below a prefix; undefined when it is none of a directory's. */
export function etcdKeyFromText(prefix: string, text: string): EtcdKey | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const key = text.slice(prefix.length);
  const setting = /^\.(weight|traffic|known)\//.exec(key);
  if (setting === null) return namedKey("instance", key);
  const rest = key.slice(setting[0].length);
  if (setting[1] === "weight") return namedKey("weight", rest);
  if (setting[1] === "known") {
    return isServiceName(rest) ? { kind: "known", service: rest } : undefined;
  }
  return isGroupPart(rest) ? { kind: "traffic", group: rest } : undefined;
}

function namedKey(kind: "instance" | "weight", text: string): EtcdKey | undefined {
  const slash = text.indexOf("/");
  const [service, name] = [text.slice(0, Math.max(0, slash)), text.slice(slash + 1)];
  return isServiceName(service) && isInstanceName(name) ? { kind, service, name } : undefined;
}
