import { nearestName } from "../core/nearest.js";
import { servingError } from "../core/serving-error.js";
import type { DynamicMethod, DynamicMethods } from "../wire/dynamic-methods.js";

/** A method as people name it. */
export interface MethodName {
  /** Full name of its service, or the end of it; undefined when only the method is named. */
  readonly service: string | undefined;
  readonly method: string;
}

/** Reads `package.Service/Method`, `/package.Service/Method`, `package.Service.Method`, `Service.Method` or `Method`. */
export function parseMethodName(text: string): MethodName {
  const name = text.replace(/^\//, "");
  const split = Math.max(name.lastIndexOf("/"), name.lastIndexOf("."));
  if (split < 0) return { service: undefined, method: name };
  return { service: name.slice(0, split), method: name.slice(split + 1) };
}

/** Whether a service may be the one that is named: by its full name, or by the end of it. */
export function isNamed(service: string, name: MethodName): boolean {
  return (
    name.service === undefined || service === name.service || service.endsWith(`.${name.service}`)
  );
}

/**
 * Finds a method.
 *
 * @param services - full names of the services to look at
 * @throws ConfigError `INVALID_OPTION` that lists what there is when none is meant, or more than one.
 */
export function findMethod(
  methods: DynamicMethods,
  services: readonly string[],
  text: string,
): DynamicMethod {
  const name = parseMethodName(text);
  const exact = methods.find(`/${name.service}/${name.method}`);
  if (exact !== undefined) return exact;
  const all = services.flatMap((service) => methods.methodsOf(service) ?? []);
  const named = services
    .filter((service) => isNamed(service, name))
    .flatMap((service) => methods.methodsOf(service) ?? []);
  const found = named.filter(({ path }) => path.endsWith(`/${name.method}`));
  const [only] = found;
  if (only === undefined) throw unknownMethod(text, name, named.length > 0 ? named : all);
  if (found.length > 1) {
    const paths = found.map(methodText).join(", ");
    throw servingError("INVALID_OPTION", `method ${text} is more than one: ${paths}`);
  }
  return only;
}

/** `package.Service/Method`. */
export function methodText({ path }: DynamicMethod): string {
  return path.slice(1);
}

function unknownMethod(text: string, name: MethodName, among: readonly DynamicMethod[]): Error {
  const typed = name.service === undefined ? name.method : `${name.service}/${name.method}`;
  const likes = new Map(among.map((method) => [nameLike(method, name), methodText(method)]));
  const nearest = likes.get(nearestName(typed, likes.keys()) ?? "");
  const theirs = among.filter(({ path }) => !everyHosts.test(path));
  const others = (theirs.length === 0 ? among : theirs)
    .map(methodText)
    .filter((other) => other !== nearest);
  const guess = nearest === undefined ? "" : `, did you mean ${nearest}?`;
  const rest =
    others.length === 0
      ? ""
      : `; there is ${nearest === undefined ? "" : "also "}${others.join(", ")}`;
  return servingError("INVALID_OPTION", `there is no method ${text}${guess}${rest}`);
}

/** Methods that every host has: nobody who mistypes a name means one of these. */
const everyHosts = /^\/(grpc|inferwire\.builtin)\./;

/** The name of a method, written the way the other one is. */
function nameLike({ path }: DynamicMethod, name: MethodName): string {
  const [, service = "", method = ""] = path.split("/");
  if (name.service === undefined) return method;
  const parts = name.service.split(".").length;
  return `${service.split(".").slice(-parts).join(".")}/${method}`;
}
