import type { DescFile } from "@bufbuild/protobuf";
import type { ImportSymbol, Schema } from "@bufbuild/protoplugin";
import { ModuleWriter } from "./module-writer.js";
import { pairFactoryName, processorName } from "./service-names.js";

const TESTING = "inferwire/testing";

/** Writes `PATH.testing.ts`: for each service of a proto a function that joins a processor and its client in memory, for tests. */
export function writeTestingModule(schema: Schema, proto: DescFile): void {
  const writer = new ModuleWriter(schema, proto, ".testing");
  const type = (name: string): ImportSymbol => writer.from(TESTING, name, "type");
  const createMemoryPair = writer.from(TESTING, "createMemoryPair", "value");
  const processor = writer.from("inferwire/host", "TypedProcessor", "type");
  for (const service of proto.services) {
    const definition = writer.definition(service, "type");
    const options = [type("MemoryPairOptions"), "<", definition, ">"];
    const pair = [type("Pair"), "<", definition, ">"];
    const doc =
      `Hosts a processor of \`${service.typeName}\` and makes a client that calls it, as \`createMemoryPair\` of "${TESTING}" does.\n\n` +
      `@param processor - one of \`${processorName(service)}\`, or what \`implement\` makes of an object with its methods`;
    writer.exported(doc, "function", pairFactoryName(service), "(");
    writer.line("  processor: ", processor, ",");
    writer.line("  options?: ", writer.global("Omit"), "<", ...options, ', "definition">,');
    writer.line("): ", writer.global("Promise"), "<", ...pair, "> {");
    const value = writer.definition(service, "value");
    writer.line(
      "  return ",
      createMemoryPair,
      "(processor, { ...options, definition: ",
      value,
      " });",
    );
    writer.line("}");
  }
}
