import { fileURLToPath } from "node:url";

/** What a lane sees behind `process.argv[0]`: the module that it loads, and the host's own arguments. */
export function laneArguments(module: string, argv: readonly string[]): readonly string[] {
  const path = module.startsWith("file:") ? fileURLToPath(module) : module;
  return [path, ...argv.slice(2)];
}
