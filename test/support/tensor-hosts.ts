import type {
  DialectName,
  HostOptions,
  LaneKind,
  Tensor,
  TensorProcessor,
  TensorProcessorOptions,
} from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { type Channel, type Client, createChannel, createClient } from "nice-grpc";
import { afterEach } from "vitest";
import type { TensorDialect, TensorRequest } from "../../src/tensor/dialect.js";
import { builtDialect } from "./built-dialect.js";
import { laneOptions } from "./lane-hosts.js";
import { programUrl } from "./programs.js";
import { recordingLogger } from "./recording-logger.js";

const FILE = "tensor-lab.mjs";

/** An answer over HTTP, its body as it came. */
export interface BytesAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

const running: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((host) => host.close()));
});

/** Starts a host of the processor of `tensor-lab.mjs`; it is closed after the test. */
export async function startTensorHost(
  dialect: DialectName,
  options: HostOptions & Pick<TensorProcessorOptions, "signature"> = {},
  kind: LaneKind = "inline",
): Promise<TensorHost> {
  const { TensorLab } = (await import(programUrl(FILE))) as {
    readonly TensorLab: new (options: TensorProcessorOptions) => TensorProcessor;
  };
  const host = await new TensorLab({
    dialect,
    ...laneOptions(kind, 1),
    ...(kind === "inline" ? {} : { module: `${programUrl(FILE)}?dialect=${dialect}` }),
    endpoint: "127.0.0.1:0",
    logger: recordingLogger().logger,
    ...options,
  }).start();
  const seen = new TensorHost(host.address.port, await builtDialect(dialect));
  running.push(seen, { close: () => host.close({ gracePeriodMs: 0 }) });
  return seen;
}

/** A host of tensors, seen through its port. */
export class TensorHost {
  readonly port: number;
  readonly dialect: TensorDialect;
  #channel: Channel | undefined;

  constructor(port: number, dialect: TensorDialect) {
    this.port = port;
    this.dialect = dialect;
  }

  get predict(): Client<typeof PredictServiceDefinition> {
    this.#channel ??= createChannel(`127.0.0.1:${this.port}`);
    return createClient(PredictServiceDefinition, this.#channel);
  }

  /** POSTs a message. */
  async post(path: string, message: Uint8Array): Promise<BytesAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/predict/lab/${path}`, {
      method: "POST",
      body: Buffer.from(message),
    });
    return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
  }

  /** The outputs that a call over HTTP is answered with. */
  async outputs(
    path: string,
    request: Partial<TensorRequest>,
  ): Promise<ReadonlyMap<string, Tensor>> {
    const { status, body } = await this.post(path, this.encoded(request));
    if (status !== 200) throw new Error(`${status} ${String(Buffer.from(body))}`);
    return this.dialect.decodeResponse(body);
  }

  /** The same over gRPC. */
  async grpcOutputs(
    path: string,
    request: Partial<TensorRequest>,
  ): Promise<ReadonlyMap<string, Tensor>> {
    const { data } = await this.predict.predict({ path, data: this.encoded(request) });
    return this.dialect.decodeResponse(data);
  }

  /** What it told as JSON in its first output. */
  async told(path: string, request: Partial<TensorRequest> = {}): Promise<unknown> {
    const [output] = (await this.outputs(path, request)).values();
    return toldBy(output);
  }

  encoded({
    inputs = new Map(),
    fetches = [],
    signatureName = "",
    debugLevel = 0,
  }: Partial<TensorRequest>): Uint8Array {
    return this.dialect.encodeRequest({ inputs, fetches, signatureName, debugLevel });
  }

  async close(): Promise<void> {
    this.#channel?.close();
  }
}

/** JSON that `tensor-lab.mjs` put into an output. */
export function toldBy(output: Tensor | undefined): unknown {
  return JSON.parse(String(Buffer.from((output?.data ?? []) as Uint8Array)));
}
