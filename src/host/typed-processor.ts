import type { CompatServiceDefinition } from "nice-grpc";
import { rpcMemberName } from "../core/rpc-member-name.js";
import type { ProcessorRpc } from "../processor/processor.js";
import { serviceRpcs } from "../processor/service-rpcs.js";
import { Processor } from "./base-processor.js";
import type { HostOptions } from "./host-options.js";

/** Options of a {@link TypedProcessor}. */
export interface TypedProcessorOptions extends HostOptions {
  /** A `google.protobuf.FileDescriptorSet` with the service and all that it imports, for reflection. @defaultValue none */
  readonly descriptorSet?: Uint8Array | undefined;
}

/**
 * A processor of typed messages: the methods of a service in nice-grpc's shapes, each with the {@link Call} as its
 * context. `implement` makes one of an object; a class of its own extends this one and has the methods itself, one that is
 * called like a member of every processor (`run`, `start`, `initialize`, …) with `Rpc` behind its name.
 */
export class TypedProcessor extends Processor {
  /** The option `descriptorSet`. */
  readonly descriptorSet: Uint8Array | undefined;
  readonly #definition: CompatServiceDefinition;
  #rpcs: readonly ProcessorRpc[] | undefined;

  /**
   * @param definition - a service definition as ts-proto, nice-grpc or grpc-js make it
   * @param options - options of the host, and the descriptor set
   * @param implementation - what has the methods; the processor itself when left out
   * @throws ConfigError for options that make no sense, or naming the first method that `implementation` lacks.
   */
  constructor(
    definition: CompatServiceDefinition,
    options: TypedProcessorOptions = {},
    implementation?: object,
  ) {
    const { descriptorSet, ...hostOptions } = options;
    super(hostOptions);
    this.descriptorSet = descriptorSet;
    this.#definition = definition;
    if (implementation !== undefined) this.#rpcs = serviceRpcs(definition, implementation);
  }

  /**
   * The methods of the service.
   *
   * @throws ConfigError naming the first method that the class lacks.
   */
  get rpcs(): readonly ProcessorRpc[] {
    // Not in the constructor: the fields of a class that extends this one are not there yet.
    this.#rpcs ??= serviceRpcs(this.#definition, this, rpcMemberName);
    return this.#rpcs;
  }
}
