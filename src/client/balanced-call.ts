import type { ChannelInterface, InterceptingListener, Metadata } from "@grpc/grpc-js";
import type { MetadataView } from "../core/metadata.js";
import { statusFromCode } from "../core/status.js";
import { grpcMetadataFrom, grpcMetadataView } from "../transport/grpc-metadata.js";
import type { AttemptEnd, AttemptListener } from "../transport/transport.js";
import { CallRunner } from "./call/call-runner.js";
import type { CallStart, RequestHead } from "./call/call-start.js";

type GrpcCall = ReturnType<ChannelInterface["createCall"]>;
type MessageContext = Parameters<GrpcCall["sendMessageWithContext"]>[0];

/** A call of the kit as grpc-js's clients, and so nice-grpc's, want to see it. */
export class BalancedCall implements GrpcCall, AttemptListener {
  /** What the call is underneath. */
  readonly runner: CallRunner;
  #listener: InterceptingListener | undefined;

  constructor(start: CallStart) {
    this.runner = new CallRunner(start, this);
  }

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.#listener = listener;
    this.runner.start(new GrpcRequestHead(metadata));
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    this.runner.send(message, context.callback);
  }

  startRead(): void {
    this.runner.read();
  }

  halfClose(): void {
    this.runner.halfClose();
  }

  cancelWithStatus(code: number, details: string): void {
    this.runner.cancel(statusFromCode(code), details);
  }

  getPeer(): string {
    return this.runner.instance ?? "unknown";
  }

  getCallNumber(): number {
    return 0;
  }

  setCredentials(): void {
    throw new Error("call credentials are not supported, use the option token");
  }

  getAuthContext(): null {
    return null;
  }

  onHeaders(headers: MetadataView): void {
    this.#listener?.onReceiveMetadata(grpcMetadataFrom(headers));
  }

  onMessage(message: Uint8Array): void {
    this.#listener?.onReceiveMessage(message);
  }

  onEnd(end: AttemptEnd): void {
    const { code, message, trailers } = end;
    this.#listener?.onReceiveStatus({
      code,
      details: message,
      metadata: grpcMetadataFrom(trailers),
    });
  }
}

/** Request headers over grpc-js's own object, which nice-grpc has made for this call alone. */
class GrpcRequestHead implements RequestHead {
  readonly view: MetadataView;
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.view = grpcMetadataView(metadata);
    this.#metadata = metadata;
  }

  has(key: string): boolean {
    return this.#metadata.get(key).length > 0;
  }

  set(key: string, value: string): void {
    this.#metadata.set(key, value);
  }
}
