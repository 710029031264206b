import { once } from "node:events";
import { Agent, request } from "node:http";
import { tensor } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { createChannel, createClient } from "nice-grpc";
import { builtDialect } from "../support/built-dialect.js";
import { median, spread } from "../support/figures.js";
import { type BenchChild, startChild } from "./child.js";
import type { AllocatedBytes, BytesKind } from "./protocol.js";

/** A picture of 224 x 224 in three colours. */
const SHAPE = [1, 224, 224, 3];
const PAYLOAD_BYTES = 602_112;
/** Few enough that no garbage is collected meanwhile. */
const CALLS = 4;
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 15);
/** Semi-spaces of so many MiB: their collection would free what is to be counted. */
const SERVER_FLAGS = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];
/** Payload-sized buffers a request over the EAS door may take when its data is aligned and not compressed. */
const BAR = 2;

type Call = (message: Buffer) => Promise<unknown>;

interface Door {
  readonly name: string;
  open(port: number): { readonly call: Call; readonly close: () => void };
}

const eas: Door = {
  name: "EAS",
  open(port) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const call: Call = async (message) => {
      const sent = request({
        agent,
        port,
        method: "POST",
        path: "/api/predict/bench",
        headers: { "content-length": message.length },
      });
      sent.end(message);
      const [response] = await once(sent, "response");
      response.resume();
      await once(response, "end");
      if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
    };
    return { call, close: () => agent.destroy() };
  },
};

const grpc: Door = {
  name: "gRPC",
  open(port) {
    const channel = createChannel(`127.0.0.1:${port}`);
    const client = createClient(PredictServiceDefinition, channel);
    return { call: (data) => client.predict({ data }), close: () => channel.close() };
  },
};

/** A request whose data begins, in the message by itself, so many bytes behind a multiple of 8. */
async function messageOf(offset: number): Promise<Buffer> {
  const { encodeRequest, bulkOffset } = await builtDialect("tensorflow");
  const inputs = new Map([["images", tensor("float32", SHAPE, new Float32Array(150_528))]]);
  for (let signatureName = ""; signatureName.length < 8; signatureName += "s") {
    const message = encodeRequest({ inputs, fetches: [], signatureName, debugLevel: 0 });
    if ((bulkOffset(message) ?? 0) % 8 === offset) return Buffer.from(message);
  }
  throw new Error(`no message has its data ${offset} bytes behind a multiple of 8`);
}

interface Figures {
  readonly buffers: number[];
  readonly heapBytes: number[];
}

async function measure(child: BenchChild, call: Call, message: Buffer): Promise<Figures> {
  const figures: Figures = { buffers: [], heapBytes: [] };
  for (let n = 0; n < 200; n++) await call(message);
  for (let tries = 0; figures.buffers.length < ROUNDS; tries++) {
    if (tries === 10 * ROUNDS) throw new Error("garbage was collected in nearly every round");
    await child.ask({ begin: true });
    for (let n = 0; n < CALLS; n++) await call(message);
    const told = await child.ask<AllocatedBytes>({ begin: false });
    if (told.collections > 0) continue;
    figures.buffers.push(told.externalBytes / CALLS / PAYLOAD_BYTES);
    figures.heapBytes.push(told.heapBytes / CALLS);
  }
  return figures;
}

/**
 * In a body the host chooses where the data comes to stand. In a PredictRequest it stands 9 bytes further on than in the message,
 * so that 3 and 7 become a multiple of 4.
 */
const rows: readonly { name: string; kind: BytesKind; door: Door; offset: number }[] = [
  { name: "a tensor processor, data aligned by itself", kind: "tensors", door: eas, offset: 0 },
  { name: "a tensor processor, data 5 bytes off", kind: "tensors", door: eas, offset: 5 },
  { name: "a processor of bytes", kind: "bytes", door: eas, offset: 0 },
  { name: "a tensor processor, data aligned by chance", kind: "tensors", door: grpc, offset: 3 },
  { name: "a tensor processor, data not aligned", kind: "tensors", door: grpc, offset: 0 },
  { name: "a processor of bytes", kind: "bytes", door: grpc, offset: 0 },
  { name: "bare grpc-js, the message as it comes", kind: "grpc-js", door: grpc, offset: 0 },
];

/** Memory that a host allocates for a request of 600 KB, in buffers of its size and on the heap. */
export async function benchBytes(print: (line: string) => void): Promise<void> {
  print(`Memory allocated for a request of 600 KB on an inline lane, ${CALLS} calls a round`);
  for (const { name, kind, door, offset } of rows) {
    const child = startChild("bytes-child.ts", [kind], 0, SERVER_FLAGS);
    try {
      const { port } = await child.receive<{ port: number }>();
      const { call, close } = door.open(port);
      const { buffers, heapBytes } = await measure(child, call, await messageOf(offset));
      close();
      const bar = door === eas && kind === "tensors" ? `; bar ${BAR}: ${verdict(buffers)}` : "";
      print(
        `${door.name.padEnd(5)}${name.padEnd(44)}${spread(buffers, 2)} buffers of the payload's size, ` +
          `heap ${(median(heapBytes) / 1_024).toFixed(0)} KiB${bar}`,
      );
    } finally {
      child.stop();
    }
  }
}

// A hundredth for what is no payload: head, answer, bookkeeping of the connection.
function verdict(buffers: readonly number[]): string {
  return median(buffers) <= BAR + 0.01 ? "met" : "MISSED";
}
