import { isServiceName, SERVICE_FORM } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { upstreamPaths } from "../../wire/upstream-json.js";
import { invalidTarget } from "./invalid-target.js";
import type { HttpTarget } from "./target-kind.js";

const LISTING = /^(?:\/.*)?\/upstreams\/([^/]+)$/;

/** Reads an http or https address: a discovery address, nothing else. */
export function parseHttpTarget(text: string): HttpTarget {
  if (!URL.canParse(text)) {
    throw invalidTarget(
      `target is ${seen(text)}, which is no URL`,
      advice("http://HOST", "SERVICE"),
    );
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    // Not shown: the message would carry the secret into logs.
    throw invalidTarget(
      "target is an http address with a user or password",
      "one without, and the option directoryToken for the token",
    );
  }
  const service = LISTING.exec(url.pathname)?.[1];
  if (service === undefined || url.hash !== "") {
    throw invalidTarget(
      `target is ${seen(text)}, which is no discovery address`,
      advice(url.origin, serviceOfPredictPath(url.pathname)),
    );
  }
  if (!isServiceName(service)) {
    throw invalidTarget(
      `target is ${seen(text)}, where the service is ${seen(service)}`,
      SERVICE_FORM,
    );
  }
  return { kind: "http", text, service, directories: [[url.href]] };
}

/** Newcomers paste base addresses, and addresses that calls go to. */
function advice(origin: string, service: string): string {
  return upstreamPaths.map((path) => `${origin}${path}${service}`).join(" or ");
}

function serviceOfPredictPath(path: string): string {
  const name = /^\/api\/predict\/([^/]+)/.exec(path)?.[1];
  return name !== undefined && isServiceName(name) ? name : "SERVICE";
}
