import { type Endpoint, parseEndpoint } from "../../core/endpoint.js";
import {
  addressText,
  DEFAULT_WEIGHT,
  type Instance,
  instanceOf,
  MAX_WEIGHT,
  weightProblem,
} from "../../core/instance.js";
import { didYouMean } from "../../core/nearest.js";
import { seen } from "../../core/options.js";
import { invalidTarget } from "./invalid-target.js";
import type { StaticTarget } from "./target-kind.js";

const ADDRESS_FORM = "host:port or [v6]:port with a port from 1 to 65535";

/** Reads `host:port[,host:port]`. */
export function parseBareList(text: string): StaticTarget {
  if (text.includes("?")) {
    throw invalidTarget(
      `target is ${seen(text)}`,
      `static:///${text.slice(0, 80)} for a list with weights`,
    );
  }
  if (/^[A-Za-z0-9_.-]+$/.test(text)) {
    throw invalidTarget(
      `target is ${seen(text)}, which has no port`,
      `${text.slice(0, 80)}:PORT for a host, directory://HOST:8100/${text.slice(0, 80)} for a service`,
    );
  }
  const instances = parseAddresses(text, text).map((address) => instanceOf(address));
  return { kind: "static", text, service: text, instances };
}

/** Reads what follows `static://`. */
export function parseStaticTarget(text: string, rest: string): StaticTarget {
  if (!rest.startsWith("/")) {
    throw invalidTarget(`target is ${seen(text)}`, `static:///${rest.slice(0, 80)}, three slashes`);
  }
  const mark = rest.indexOf("?");
  const list = mark < 0 ? rest.slice(1) : rest.slice(1, mark);
  const addresses = parseAddresses(text, list);
  const weights = mark < 0 ? [] : parseWeights(text, rest.slice(mark + 1), addresses.length);
  const instances = addresses.map((address, index): Instance => {
    const weight = (weights.length === 1 ? weights[0] : weights[index]) ?? DEFAULT_WEIGHT;
    return instanceOf({ ...address, weight });
  });
  return { kind: "static", text, service: list, instances };
}

/** Reads a list of addresses to connect to; the target is named in errors. */
export function parseAddresses(target: string, list: string): readonly Endpoint[] {
  const known = new Set<string>();
  return list.split(",").map((part) => {
    const address = parseEndpoint(part);
    if (address === undefined || address.host === "" || address.port === 0) {
      throw invalidTarget(
        `target is ${seen(target)}, where an address is ${seen(part)}`,
        ADDRESS_FORM,
      );
    }
    const key = addressText(address.host, address.port);
    if (known.has(key)) {
      throw invalidTarget(
        `target is ${seen(target)}, which lists ${key} twice`,
        "each address once",
      );
    }
    known.add(key);
    return address;
  });
}

function parseWeights(target: string, query: string, count: number): readonly number[] {
  const params = [...new URLSearchParams(query)];
  const [first, ...more] = params;
  for (const [name] of params) {
    if (name === "weight") continue;
    throw invalidTarget(
      `target is ${seen(target)}, which has an unknown parameter "${name}"${didYouMean(name, ["weight"])}`,
      "weight=N or weight=N,N",
    );
  }
  if (first === undefined || more.length > 0) {
    throw invalidTarget(`target is ${seen(target)}`, "weight once behind the question mark");
  }
  const weights = first[1].split(",").map((part) => {
    const weight = /^\d+(?:\.\d+)?$/.test(part) ? Number(part) : Number.NaN;
    if (weightProblem(weight) !== undefined) {
      throw invalidTarget(
        `target is ${seen(target)}, where a weight is ${seen(part)}`,
        `a number from 0 to ${MAX_WEIGHT}, and at least 0.000001 unless 0`,
      );
    }
    return weight;
  });
  if (weights.length !== 1 && weights.length !== count) {
    throw invalidTarget(
      `target is ${seen(target)}, which has ${count} addresses and ${weights.length} weights`,
      `one weight for all, or ${count}`,
    );
  }
  return weights;
}
