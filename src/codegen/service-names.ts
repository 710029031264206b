import type { DescService } from "@bufbuild/protobuf";
import { capitalized } from "./type-names.js";

/** What a service's definition is called in ts-proto's file. */
export function definitionName(service: DescService): string {
  return `${service.name}Definition`;
}

/** The class that a processor of a service extends. */
export function processorName(service: DescService): string {
  return `${capitalized(service.name)}Processor`;
}

/** The function that makes a client of a service. */
export function clientFactoryName(service: DescService): string {
  return `create${capitalized(service.name)}Client`;
}

/** The function that makes a processor of a service and a client of it, for tests. */
export function pairFactoryName(service: DescService): string {
  return `create${capitalized(service.name)}Pair`;
}
