import type { DescFile } from "@bufbuild/protobuf";
import type { ImportSymbol, Schema } from "@bufbuild/protoplugin";
import { commentText } from "./doc-comment.js";
import { ModuleWriter } from "./module-writer.js";
import { clientFactoryName } from "./service-names.js";

const CLIENT = "inferwire/client";

/** Writes `PATH.client.ts`: for each service of a proto a function that makes its client. */
export function writeClientModule(schema: Schema, proto: DescFile): void {
  const writer = new ModuleWriter(schema, proto, ".client");
  const type = (name: string): ImportSymbol => writer.from(CLIENT, name, "type");
  const createClient = writer.from(CLIENT, "createClient", "value");
  for (const service of proto.services) {
    const comment = commentText(service);
    const summary = `Makes a client of \`${service.typeName}\`, as \`createClient\` of "${CLIENT}" does.`;
    const doc = comment === "" ? summary : `${summary}\n\n${comment}`;
    const options = [type("ClientOptions"), "<Ext> | ", type("SharedChannelOptions"), "<Ext>"];
    const client = [type("ServiceClient"), "<", writer.definition(service, "type"), ", Ext>"];
    writer.exported(doc, "function", clientFactoryName(service), "<Ext = object>(");
    writer.line("  options: ", ...options, ",");
    writer.line("): ", ...client, " {");
    writer.line("  return ", createClient, "(", writer.definition(service, "value"), ", options);");
    writer.line("}");
  }
}
