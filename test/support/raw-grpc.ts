import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { PredictRequest } from "inferwire/proto";

/** Path of the method that the tests call by hand. */
export const PREDICT_PATH = "/inferwire.predict.v1.PredictService/Predict";

/** How a gRPC call ended, as it stood on the wire. */
export interface RawOutcome {
  readonly httpStatus: number;
  /** `grpc-status`; -1 when there was none. */
  readonly status: number;
  readonly message: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  /** Bytes of the answer, frame headers included. */
  readonly body: Buffer;
  /** Code of the RST_STREAM that ended it; 0 for none. */
  readonly rstCode: number;
}

/** Opens an HTTP/2 connection to a port of this machine; errors of the connection are left to its streams. */
export function openSession(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  return session;
}

/** Starts a call without sending anything but its headers. */
export function startCall(
  session: ClientHttp2Session,
  headers: Record<string, string> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": PREDICT_PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  return stream;
}

/** Waits for the end of a call. */
export function outcomeOf(stream: ClientHttp2Stream): Promise<RawOutcome> {
  return new Promise((resolve) => {
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on("response", (headers) => {
      head = headers;
    });
    stream.on("trailers", (headers) => {
      trailers = headers;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A server may have said everything while this side's half is still open.
    stream.on("end", () => stream.close());
    stream.on("close", () => {
      const all = { ...head, ...trailers };
      resolve({
        httpStatus: Number(head[":status"] ?? 0),
        status: Number(all["grpc-status"] ?? -1),
        message: decodeURIComponent(String(all["grpc-message"] ?? "")),
        trailers: all,
        body: Buffer.concat(chunks),
        rstCode: stream.rstCode ?? 0,
      });
    });
  });
}

/** A gRPC frame around bytes. */
export function frameOf(message: Uint8Array, flag = 0): Buffer {
  const frame = Buffer.alloc(message.length + 5);
  frame[0] = flag;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** A PredictRequest with this payload, encoded. */
export function predictMessage(data: string | Uint8Array): Uint8Array {
  return PredictRequest.encode(PredictRequest.fromPartial({ data: Buffer.from(data) })).finish();
}

/** Makes a whole call that sends these bytes behind its headers. */
export async function callRaw(
  port: number,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<RawOutcome> {
  const session = openSession(port);
  const stream = startCall(session, headers);
  const outcome = outcomeOf(stream);
  stream.end(bytes);
  const result = await outcome;
  session.destroy();
  return result;
}
