/**
 * One server whose memory is measured, in a process of its own: `bytes-child.ts KIND`, under `--expose-gc`. Tells its port; told
 * `{ begin: true }` it collects garbage and takes note, told `{ begin: false }` it tells what has been allocated since.
 */
import { GCProfiler } from "node:v8";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { BaseProcessor, type Tensor, TensorProcessor, tensor } from "inferwire/host";
import type { AllocatedBytes, BytesKind } from "./protocol.js";

const options = {
  endpoint: "127.0.0.1:0",
  logger: { debug() {}, info() {}, warn() {}, error() {} },
};

class First extends TensorProcessor {
  constructor() {
    super({ dialect: "tensorflow", ...options });
  }

  override process(inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
    const [image] = inputs.values();
    return new Map([["first", tensor("float32", [1], [Number(image?.data[0])])]]);
  }
}

class FirstByte extends BaseProcessor {
  process(data: Uint8Array): Uint8Array {
    return data.subarray(0, 1);
  }
}

function startGrpcJs(): Promise<number> {
  const server = new Server({ "grpc.enable_channelz": 0 });
  server.register(
    "/inferwire.predict.v1.PredictService/Predict",
    (_: unknown, done: (error: null, answer: Buffer) => void) => done(null, Buffer.alloc(1)),
    (answer: Buffer) => answer.subarray(1),
    (bytes: Buffer) => bytes,
    "unary",
  );
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

const starts: Readonly<Record<BytesKind, () => Promise<number>>> = {
  tensors: async () => (await new First().start()).address.port,
  bytes: async () => (await new FirstByte(options).start()).address.port,
  "grpc-js": startGrpcJs,
};

let profiler = new GCProfiler();
let before = process.memoryUsage();

process.on("message", ({ begin }: { readonly begin: boolean }) => {
  if (begin) {
    // The memory of buffers is given back behind a collection; the next one waits for that.
    globalThis.gc?.();
    globalThis.gc?.();
    profiler = new GCProfiler();
    profiler.start();
    before = process.memoryUsage();
    process.send?.({});
    return;
  }
  const after = process.memoryUsage();
  const told: AllocatedBytes = {
    // Only where nothing was freed between the two is the difference what was allocated.
    collections: profiler.stop().statistics.length,
    externalBytes: after.external - before.external,
    heapBytes: after.heapUsed - before.heapUsed,
  };
  process.send?.(told);
});
process.send?.({ port: await starts[process.argv[2] as BytesKind]() });
