import type { CallContext, ServerMiddleware } from "nice-grpc-common";
import type { DoorName } from "../core/invocation.js";
import type { Logger } from "../core/ports.js";
import type { RpcHead } from "../core/rpc-definition.js";
import type { IdempotencyLevel } from "../core/service-definition.js";
import type { TraceContext } from "../core/trace-context.js";
import type { TensorRequest } from "../tensor/dialect.js";
import type { Tensor } from "../tensor/tensor.js";
import type { TensorSide } from "./tensor-side.js";

/**
 * What `process` returns: bytes, or bytes with a status. 0 and 200 are success; another status (200 to 599) is an answer
 * of the processor's own: the HTTP status of the reply, `status` beside the bytes over gRPC.
 */
export type Answer = Uint8Array | readonly [data: Uint8Array, status: number];

/** Kind of place where `process` runs. */
export type LaneKind = "inline" | "thread" | "process";

/** One call as the processor sees it. */
export interface Call extends CallContext {
  /** Protocol the call came in by. */
  readonly door: DoorName;
  /** `/package.Service/Method`, or the HTTP verb. */
  readonly method: string;
  /** After `/api/predict/NAME`, else the whole path; what `PredictRequest.path` says over gRPC. */
  readonly path: string;
  /** Query of the HTTP request; empty over gRPC. */
  readonly query: URLSearchParams;
  /** Milliseconds left until the call's deadline, never below 0; Infinity without one, and once the call has been answered. */
  remainingMs(): number;
  /**
   * The W3C trace that the call belongs to; undefined when the caller sent none that is valid. Calls that `process` makes
   * through a client of the kit belong to it too, unless they are given a `traceparent` of their own.
   */
  readonly trace: TraceContext | undefined;
  /** Writes lines that carry the call's request id, and its trace id if it has one. */
  readonly logger: Logger;
}

/** What `initialize` is told of the place it runs in. */
export interface ProcessorContext {
  /** The lane that is being initialised, out of `count`. */
  readonly lane: { readonly kind: LaneKind; readonly index: number; readonly count: number };
  /** Name of the service; empty when the host has none. */
  readonly service: string;
  /** The option `modelPath`. */
  readonly modelPath: string | undefined;
  /** The option `modelConfig`. */
  readonly modelConfig: unknown;
  /** The processor's own properties as they are now: changes made by the builtin `prop` show here. */
  readonly properties: ReadonlyMap<string, string>;
  readonly logger: Logger;
  /** Aborted when the host stops before `initialize` has ended. */
  readonly signal: AbortSignal;
}

/** A function that the builtin `call` runs: bytes in, bytes out. */
export type ProcessorFunction = (data: Uint8Array, call: Call) => Uint8Array | Promise<Uint8Array>;

/** A property of the processor's own, which the builtin `prop` reads and sets. */
export interface ProcessorProperty {
  /** Its value until somebody sets it. */
  readonly initial: string;
  /** Tells what is wrong with a value, or undefined when nothing is. Runs in the host, before any lane is told. */
  readonly validate?: ((value: string) => string | undefined) | undefined;
}

/** A method of a typed service: what it is called, its codecs, and what answers it. */
export interface ProcessorRpc extends RpcHead {
  /** Undefined when the proto promises nothing. */
  readonly idempotencyLevel: IdempotencyLevel | undefined;
  /** Throws for bytes that are no request. */
  readonly decodeRequest: (bytes: Uint8Array) => unknown;
  /** Throws for a value that is no response. */
  readonly encodeResponse: (message: unknown) => Uint8Array;
  /**
   * Answers a call, in nice-grpc's shapes: takes a message, or an async iterable of them with `requestStream`; gives a
   * promise of a message, or an async iterable with `responseStream`.
   */
  readonly handler: (request: unknown, call: Call) => unknown;
}

/** nice-grpc server middleware, whatever it adds to the context or needs of the middleware in front of it. */
export type AnyServerMiddleware = ServerMiddleware<object, never>;

/** What a processor may have whatever it answers. */
interface ProcessorMembers {
  /** Loads what `process` needs; once in each lane, before the host is ready. */
  initialize?(context: ProcessorContext): void | Promise<void>;
  /** A `google.protobuf.FileDescriptorSet` of the typed service, for reflection. */
  readonly descriptorSet?: Uint8Array | undefined;
  /** The methods of its typed service. */
  readonly rpcs?: readonly ProcessorRpc[];
  /** Runs around `process` and the methods of `rpcs`, the first one outermost. */
  readonly middleware?: readonly AnyServerMiddleware[];
  /** Gives back what `initialize` took; once in each lane, after its last call. */
  dispose?(): void | Promise<void>;
  /** Tells whether this lane can take calls; asked every second, false when it takes longer than `readyCheckTimeoutMs`. */
  isReady?(signal: AbortSignal): boolean | Promise<boolean>;
  /** Takes a message of the builtin `tell`; in every lane. */
  onTell?(message: Uint8Array): void | Promise<void>;
  /** What the builtin `call` may run, by name. */
  readonly functions?: Readonly<Record<string, ProcessorFunction>>;
  /** What the builtin `prop` may set, by name. */
  readonly properties?: Readonly<Record<string, ProcessorProperty>>;
}

/** The shape that the host needs of a processor, whatever class it is of: `process`, `rpcs`, or both. */
export interface ProcessorShape extends ProcessorMembers {
  readonly tensorSide?: undefined;
  /** Answers one call; calls overlap when it waits for something. */
  process?(data: Uint8Array, call: Call): Answer | Promise<Answer> | AsyncIterable<Uint8Array>;
}

/** What a {@link TensorProcessorShape} answers with: tensors by name. */
export type TensorAnswer = ReadonlyMap<string, Tensor>;

/** The same of a processor of named tensors. */
export interface TensorProcessorShape extends ProcessorMembers {
  readonly tensorSide: TensorSide;
  /** Answers one call; calls overlap when it waits for something. */
  process(
    inputs: ReadonlyMap<string, Tensor>,
    call: Call,
    request: TensorRequest,
  ): TensorAnswer | Promise<TensorAnswer>;
}

/** Whatever a host can serve. */
export type AnyProcessor = ProcessorShape | TensorProcessorShape;
