import { isIP } from "node:net";
import { type Instance, instanceOf, portProblem, weightProblem } from "../core/instance.js";
import { seen } from "../core/options.js";
import type { LeftOut } from "./left-out.js";

/** One item of a discovery answer as it came in, nothing checked. */
export interface UpstreamItem {
  readonly name: unknown;
  readonly ip: unknown;
  readonly port: unknown;
  readonly weight: unknown;
  readonly app: unknown;
}

/** The usable items of a discovery answer. */
export interface UpstreamItems extends LeftOut {
  /** Keys are unique. */
  readonly instances: readonly Instance[];
}

const PRINTABLE = /^[\x20-\x7e]{1,128}$/;

/** Tells whether a text can name an instance: printable ASCII, 1 to 128 characters. */
export function isInstanceName(text: unknown): text is string {
  return typeof text === "string" && PRINTABLE.test(text);
}

const MAX_APP_LENGTH = 253;

/** Says what is wrong with an application name, or undefined: any text up to 253 characters will do. */
export function appProblem(app: unknown): string | undefined {
  if (typeof app === "string" && app.length <= MAX_APP_LENGTH) return undefined;
  return `app is ${seen(app)}, expected a text of at most ${MAX_APP_LENGTH} characters`;
}

/** Says what keeps an item from being an instance, or undefined when nothing does. */
export function itemProblem({ ip, port, weight }: UpstreamItem): string | undefined {
  if (typeof ip !== "string" || isIP(ip) === 0) {
    return `ip is ${seen(ip)}, expected an IPv4 or IPv6 address`;
  }
  return portProblem(port) ?? weightProblem(weight);
}

/** Makes the instance of an item that has no problem; a name or app that cannot be used counts as none. */
function instanceFromItem(item: UpstreamItem): Instance | undefined {
  const { ip, port, weight, name, app } = item;
  if (typeof ip !== "string" || typeof port !== "number" || typeof weight !== "number") {
    return undefined;
  }
  return instanceOf({
    host: ip,
    port,
    weight,
    name: isInstanceName(name) ? name : "",
    app: appProblem(app) === undefined ? String(app) : "",
  });
}

/**
 * Takes the usable items of a discovery answer, one by one: a bad one is counted and costs nothing else. Of several
 * with the same address the one with the greatest weight counts, the first of equals.
 */
export function takeUpstreamItems(items: Iterable<UpstreamItem>): UpstreamItems {
  const byKey = new Map<string, Instance>();
  let rejected = 0;
  let firstProblem: string | undefined;
  for (const item of items) {
    const problem = itemProblem(item);
    const instance = problem === undefined ? instanceFromItem(item) : undefined;
    if (instance === undefined) {
      rejected += 1;
      firstProblem ??= problem;
      continue;
    }
    const known = byKey.get(instance.key);
    if (known === undefined || known.weight < instance.weight) byKey.set(instance.key, instance);
  }
  return { instances: [...byKey.values()], rejected, firstProblem };
}
