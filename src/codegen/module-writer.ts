import type { DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import type { GeneratedFile, ImportSymbol, Printable, Schema } from "@bufbuild/protoplugin";
import { docLines } from "./doc-comment.js";
import { definitionName } from "./service-names.js";
import { modulePath, typeName } from "./type-names.js";

/** A part of a line: text as it is, or a name that is imported. */
export type Part = Exclude<Printable, undefined>;

/** Writes one module beside that of a proto's messages; what its lines mention is imported, under another name where it must be. */
export class ModuleWriter {
  readonly #file: GeneratedFile;
  readonly #self: string;
  readonly #messages: string;
  #begun = false;

  /** @param ending - what the module's name has behind that of the proto's messages: `.client` */
  constructor(schema: Schema, proto: DescFile, ending: string) {
    const path = modulePath(proto);
    this.#file = schema.generateFile(`${path}${ending}.ts`);
    this.#self = `./${path}${ending}.js`;
    this.#messages = `./${path}.js`;
  }

  /** Writes a line. */
  line(...parts: readonly Part[]): void {
    this.#file.print(...parts);
  }

  /** Writes a TSDoc block, unless the text is empty. */
  doc(text: string, indentation = ""): void {
    for (const line of docLines(text, indentation)) this.line(line);
  }

  /** Begins something that the module exports: writes its TSDoc, and `export KIND NAME REST`. */
  exported(doc: string, kind: string, name: string, ...rest: readonly Part[]): void {
    if (this.#begun) this.line();
    this.#begun = true;
    this.doc(doc);
    this.line(this.#file.export(kind, name), ...rest);
  }

  /** A name that every program has: whatever else is called so gets another name here. */
  global(name: string): ImportSymbol {
    return this.#file.import(name, this.#self, true);
  }

  /** A type or value of another module; a path below the folder of generated code begins with `./`. */
  from(module: string, name: string, kind: "type" | "value"): ImportSymbol {
    return this.#file.import(name, module, kind === "type");
  }

  /** The type of a message. */
  message(desc: DescMessage): ImportSymbol {
    return this.from(`./${modulePath(desc.file)}.js`, typeName(desc), "type");
  }

  /** ts-proto's type of a message whose fields may be left out. */
  partial(desc: DescMessage): readonly Part[] {
    return [this.from(this.#messages, "DeepPartial", "type"), "<", this.message(desc), ">"];
  }

  /** A service's definition. */
  definition(service: DescService, kind: "type" | "value"): ImportSymbol {
    return this.from(this.#messages, definitionName(service), kind);
  }
}
