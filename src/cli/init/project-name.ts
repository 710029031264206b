import { checkServiceName } from "../../core/instance.js";
import { servingError } from "../../core/serving-error.js";
import type { Project } from "./project.js";

/** What a project is called, in every language that it is written in. */
export type ProjectNames = Pick<Project, "service" | "packageName" | "className" | "protoName">;

/**
 * Makes the names of a project from the service's.
 *
 * @throws ConfigError `INVALID_OPTION` for a name that no service can have, or none that begins with a letter.
 */
export function projectNames(name: string, where: string): ProjectNames {
  const service = checkServiceName(name, where);
  const words = service.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const className = words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join("");
  if (!/^[A-Z]/.test(className)) {
    const text = `${where} is ${JSON.stringify(name)}, expected a name that begins with a letter`;
    throw servingError("INVALID_OPTION", text);
  }
  return {
    service,
    className,
    packageName: words.join("-").toLowerCase(),
    protoName: words.join("_").toLowerCase(),
  };
}
