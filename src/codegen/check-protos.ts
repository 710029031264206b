import {
  type AnyDesc,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescOneof,
  type DescService,
  ScalarType,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { rpcMemberName } from "../core/rpc-member-name.js";
import { servingError } from "../core/serving-error.js";
import { descriptorSetModule } from "./descriptor-set-module.js";
import { pathProblem } from "./proto-path.js";
import { placeOf } from "./proto-place.js";
import { reservedNames, usedNames } from "./reserved-names.js";
import { definitionName, processorName } from "./service-names.js";
import { modulePath, propertyName, rpcName, typeName } from "./type-names.js";

/**
 * Checks that protos can be turned into code: that their names can be names in TypeScript, and that no two of them become one.
 *
 * @throws ConfigError `PROTO_INVALID` with a line for each problem: `FILE:LINE:COLUMN: text`.
 */
export function checkProtos(files: readonly DescFile[]): void {
  const check = new ProtoCheck();
  check.modules(files);
  for (const file of files) {
    check.topLevel(file);
    for (const desc of nestedTypes(file)) {
      if (desc.kind === "message") {
        check.properties(desc);
        check.defaults(desc);
      } else if (desc.kind === "enum") check.values(desc);
      else if (desc.kind === "service") check.rpcs(desc);
    }
  }
  if (check.problems.length > 0) throw servingError("PROTO_INVALID", check.problems.join("\n"));
}

/** Names in one scope of the generated code, each with what it stands for. */
type Scope = Map<string, string>;

class ProtoCheck {
  readonly problems: string[] = [];

  /** The files that are written. */
  modules(files: readonly DescFile[]): void {
    const scope: Scope = new Map();
    for (const file of files) {
      const problem = pathProblem(file.proto.name);
      if (problem !== undefined) this.#problem(file, problem);
      if (file.services.length === 0) continue;
      const { file: setFile } = descriptorSetModule;
      scope.set(setFile.replace(".ts", ""), "the module of the descriptor set");
      for (const ending of ["client", "processor", "testing"]) {
        scope.set(`${modulePath(file)}.${ending}`, `a module of ${file.proto.name}`);
      }
    }
    for (const file of files) {
      const taken = scope.get(modulePath(file));
      if (taken !== undefined) {
        this.#problem(
          file,
          `${modulePath(file)}.ts is ${taken}, expected another name of the proto`,
        );
      }
    }
  }

  /** What ts-proto's module exports. */
  topLevel(file: DescFile): void {
    const scope: Scope = new Map(usedNames(file));
    const services: Scope = new Map();
    for (const desc of nestedTypes(file)) {
      if (desc.kind === "message" || desc.kind === "enum") {
        const name = typeName(desc);
        if (reservedNames.has(name)) this.#problem(desc, `${name} cannot be the name of a type`);
        else if (this.#take(scope, name, desc) && desc.kind === "message") {
          this.#take(scope, `createBase${name}`, desc);
        }
      } else if (desc.kind === "service") {
        for (const name of tsProtoNames(desc)) this.#take(scope, name, desc);
        this.#take(services, processorName(desc), desc);
      }
    }
  }

  /** Properties of a message. */
  properties(message: DescMessage): void {
    const scope: Scope = new Map();
    for (const member of message.members) {
      this.#property(scope, member);
      if (member.kind !== "oneof") continue;
      const cases: Scope = new Map();
      for (const field of member.fields) this.#take(cases, propertyName(field), field);
    }
  }

  /** Values that proto2 has for fields that are not there. */
  defaults(message: DescMessage): void {
    for (const field of message.fields) {
      const { defaultValue } = field.proto;
      const isNumber = field.scalar === ScalarType.FLOAT || field.scalar === ScalarType.DOUBLE;
      if (isNumber && /^-?(inf|nan)$/.test(defaultValue)) {
        this.#problem(
          field,
          `${field.toString()} has the default ${defaultValue}, which ts-proto cannot write`,
        );
      }
    }
  }

  #property(scope: Scope, member: DescField | DescOneof): void {
    const name = propertyName(member);
    // ts-proto asks a partial message for it, and is answered with what every object has.
    if (Object.hasOwn(Object.prototype, name)) {
      this.#problem(member, `every object has a ${name}: a field cannot have that name`);
    } else this.#take(scope, name, member);
  }

  /** Values of an enum. */
  values(desc: DescEnum): void {
    const scope: Scope = new Map([["UNRECOGNIZED", "what ts-proto adds to every enum"]]);
    for (const value of desc.values) {
      if (reservedNames.has(value.name)) {
        this.#problem(value, `${value.name} cannot be the name of an enum's value`);
      } else this.#take(scope, value.name, value);
    }
  }

  /** Members of clients and processors. */
  rpcs(service: DescService): void {
    const members: Scope = new Map();
    const processorMembers: Scope = new Map();
    for (const method of service.methods) {
      const name = rpcName(method);
      if (name === "__proto__") {
        this.#problem(method, "__proto__ cannot be the name of an rpc");
      } else if (this.#take(members, name, method)) {
        this.#take(processorMembers, rpcMemberName(name), method);
      }
    }
  }

  #take(scope: Scope, name: string, desc: AnyDesc): boolean {
    const other = scope.get(name);
    if (other === undefined) scope.set(name, `${desc.toString()}`);
    else this.#problem(desc, `${desc.toString()} becomes ${name}, which is ${other}`);
    return other === undefined;
  }

  #problem(desc: AnyDesc, text: string): void {
    this.problems.push(`${placeOf(desc)}: ${text}`);
  }
}

/** What ts-proto exports for a service. */
function tsProtoNames(service: DescService): readonly string[] {
  const { name } = service;
  const implementation = `${name.replace(/Service$/, "")}ServiceImplementation`;
  return [definitionName(service), implementation, `${name}Client`];
}
