/**
 * Load in a process of its own: told `{ kind, port, calls }` it makes so many unary calls, 64 in progress, and tells
 * how long that took. Plain node:http2 and node:net, so that the generator is lighter than what it measures.
 */
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { PredictRequest } from "inferwire/proto";
import { BENCH_TOKEN, CONNECTIONS, PAYLOAD_BYTES, type ServerKind, STREAMS } from "./protocol.js";

const payload = Buffer.alloc(PAYLOAD_BYTES, "x");

/** What a kind is asked, where it is not PredictService. */
const typed: Partial<Record<ServerKind, { readonly path: string; readonly frame: Buffer }>> = {
  "host-typed": { path: "/bench.v1.EchoService/EchoBytes", frame: frameOf({ data: payload }) },
  "host-text": {
    path: "/bench.v1.EchoService/EchoText",
    frame: frameOf({ path: payload.toString() }),
  },
};
const predict = {
  path: "/inferwire.predict.v1.PredictService/Predict",
  frame: frameOf({ data: payload }),
};

function frameOf(request: Partial<PredictRequest>): Buffer {
  const message = PredictRequest.encode(PredictRequest.fromPartial(request)).finish();
  const frame = Buffer.alloc(message.length + 5);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

function grpcCall(session: ClientHttp2Session, kind: ServerKind): Promise<void> {
  const { path, frame } = typed[kind] ?? predict;
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": "30S",
      authorization: BENCH_TOKEN,
    });
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on("trailers", (trailers) => {
      if (trailers["grpc-status"] !== "0" || bytes < PAYLOAD_BYTES) {
        reject(new Error(`status ${String(trailers["grpc-status"])} with ${bytes} bytes`));
      } else resolve();
    });
    stream.on("error", reject);
    stream.end(frame);
  });
}

async function grpcLoad(port: number, calls: number, kind: ServerKind): Promise<void> {
  const sessions = Array.from({ length: CONNECTIONS }, () => connect(`http://127.0.0.1:${port}`));
  let left = calls;
  const worker = async (session: ClientHttp2Session): Promise<void> => {
    while (left-- > 0) await grpcCall(session, kind);
  };
  await Promise.all(sessions.flatMap((s) => Array.from({ length: STREAMS }, () => worker(s))));
  for (const session of sessions) session.close();
}

function httpWorker(port: number, take: () => boolean): Promise<void> {
  const request = Buffer.concat([
    Buffer.from(
      `POST /api/predict/echo HTTP/1.1\r\nhost: bench\r\nauthorization: ${BENCH_TOKEN}\r\n` +
        `content-type: application/octet-stream\r\ncontent-length: ${PAYLOAD_BYTES}\r\n\r\n`,
    ),
    payload,
  ]);
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, "127.0.0.1");
    socket.setNoDelay(true);
    let pending = Buffer.alloc(0);
    const next = (): void => {
      if (take()) socket.write(request);
      else {
        socket.end();
        resolve();
      }
    };
    socket.on("connect", next);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const head = pending.indexOf("\r\n\r\n");
      if (head < 0 || pending.length < head + 4 + PAYLOAD_BYTES) return;
      if (!pending.subarray(0, 12).equals(Buffer.from("HTTP/1.1 200"))) {
        reject(new Error(pending.subarray(0, 80).toString()));
      }
      pending = Buffer.alloc(0);
      next();
    });
  });
}

async function httpLoad(port: number, calls: number): Promise<void> {
  let left = calls;
  const take = (): boolean => left-- > 0;
  await Promise.all(Array.from({ length: CONNECTIONS * STREAMS }, () => httpWorker(port, take)));
}

process.on("message", (order: { kind: ServerKind; port: number; calls: number }) => {
  const started = performance.now();
  const load = order.kind === "host-eas" || order.kind === "node-http" ? httpLoad : grpcLoad;
  load(order.port, order.calls, order.kind).then(
    () => process.send?.({ ms: performance.now() - started }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
