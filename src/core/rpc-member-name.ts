/** Members that a processor has whatever its service, and what would make it a promise to whoever awaits it. */
const ownMembers: ReadonlySet<string> = new Set([
  "descriptorSet",
  "dispose",
  "functions",
  "initialize",
  "isReady",
  "middleware",
  "onTell",
  "process",
  "properties",
  "rpcs",
  "run",
  "start",
  "tensorSide",
  "then",
]);

/**
 * What a class that extends `TypedProcessor` calls the method of an rpc: the rpc's own name, and with `Rpc` behind it when
 * every processor, or every object, has a member of that name.
 *
 * @param name - as the service definition has it: `classify`, `run`
 */
export function rpcMemberName(name: string): string {
  return ownMembers.has(name) || name in Object.prototype ? `${name}Rpc` : name;
}
