import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import type { Schema } from "@bufbuild/protoplugin";
import { rpcMemberName } from "../core/rpc-member-name.js";
import { descriptorSetModule } from "./descriptor-set-module.js";
import { commentText } from "./doc-comment.js";
import { ModuleWriter, type Part } from "./module-writer.js";
import { processorName } from "./service-names.js";
import { rpcName } from "./type-names.js";

const HOST = "inferwire/host";

/** Writes `PATH.processor.ts`: for each service of a proto an abstract class with a method for each rpc. */
export function writeProcessorModule(schema: Schema, proto: DescFile): void {
  const writer = new ModuleWriter(schema, proto, ".processor");
  for (const service of proto.services) writeClass(writer, service);
}

function writeClass(writer: ModuleWriter, service: DescService): void {
  const comment = commentText(service);
  const doc = comment === "" ? `A processor of \`${service.typeName}\`.` : comment;
  const base = writer.from(HOST, "TypedProcessor", "value");
  const options = writer.from(HOST, "TypedProcessorOptions", "type");
  const set = writer.from(descriptorSetModule.path, descriptorSetModule.name, "value");
  writer.exported(doc, "abstract class", processorName(service), " extends ", base, " {");
  writer.line("  constructor(options: ", options, " = {}) {");
  writer.line("    super(", writer.definition(service, "value"), ", {");
  writer.line("      ...options,");
  writer.line("      descriptorSet: options.descriptorSet ?? ", set, ",");
  writer.line("    });");
  writer.line("  }");
  for (const method of service.methods) writeMethod(writer, method);
  writer.line("}");
}

function writeMethod(writer: ModuleWriter, method: DescMethod): void {
  const { methodKind, input, output } = method;
  const sequence = writer.global("AsyncIterable");
  const takesMany = methodKind === "client_streaming" || methodKind === "bidi_streaming";
  const givesMany = methodKind === "server_streaming" || methodKind === "bidi_streaming";
  const answer = writer.partial(output);
  const answers: readonly Part[] = givesMany
    ? [sequence, "<", ...answer, ">"]
    : [...answer, " | ", writer.global("Promise"), "<", ...answer, ">"];
  writer.line();
  writer.doc(commentText(method), "  ");
  writer.line("  abstract ", rpcMemberName(rpcName(method)), "(");
  if (takesMany) writer.line("    requests: ", sequence, "<", writer.message(input), ">,");
  else writer.line("    request: ", writer.message(input), ",");
  writer.line("    call: ", writer.from(HOST, "Call", "type"), ",");
  writer.line("  ): ", ...answers, ";");
}
