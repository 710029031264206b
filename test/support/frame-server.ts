import type { Socket } from "node:net";
import { type OddServer, startSocketServer } from "./client-sockets.js";
import { END_HEADERS, END_STREAM, frameTypes, hpackLiterals, http2Frame } from "./raw-http2.js";

/** A connection to a server whose frames are made by hand. */
export interface ServedFrames {
  readonly socket: Socket;
  /** Which one it is, counted from 0. */
  readonly connection: number;
  send(...frames: readonly Uint8Array[]): void;
}

/** What a server made of frames does; what is left out is done as it should be. */
export interface FrameServing {
  /** Sent at once on every connection, instead of empty SETTINGS. */
  readonly hello?: (connection: ServedFrames) => void;
  /** A stream's headers have arrived, and its request is complete or not. */
  readonly onStream?: (connection: ServedFrames, streamId: number) => void;
  /** A stream's request is complete. */
  readonly onRequest?: (connection: ServedFrames, streamId: number) => void;
}

/** A server whose frames are made by hand, and what it has seen. */
export interface FrameServer extends OddServer {
  readonly connections: number;
  readonly streams: number;
}

type Fields = readonly (readonly [name: string, value: string | Buffer])[];

const PREFACE_BYTES = 24;
const LARGEST_FRAME_BYTES = 16_384;

/** Header fields in as many frames as they need. */
export function headerFrames(streamId: number, fields: Fields, flags = 0): Buffer {
  const block = hpackLiterals(fields);
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += LARGEST_FRAME_BYTES) {
    const last = at + LARGEST_FRAME_BYTES >= block.length;
    const type = at === 0 ? frameTypes.headers : frameTypes.continuation;
    const own = (at === 0 ? flags : 0) | (last ? END_HEADERS : 0);
    frames.push(http2Frame(type, streamId, block.subarray(at, at + LARGEST_FRAME_BYTES), own));
  }
  return Buffer.concat(frames);
}

/** Headers with which a gRPC answer begins. */
export function answerHeaders(streamId: number, more: Fields = []): Buffer {
  const fields: Fields = [[":status", "200"], ["content-type", "application/grpc"], ...more];
  return headerFrames(streamId, fields);
}

/** A message with gRPC's prefix; its length and compression flag may be lies. */
export function messageFrame(
  streamId: number,
  text: string,
  length: number = text.length,
  flag = 0,
): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return http2Frame(frameTypes.data, streamId, Buffer.concat([prefix, Buffer.from(text)]));
}

/** Trailers that end a stream. */
export function trailerFrames(streamId: number, fields: Fields): Buffer {
  return headerFrames(streamId, fields, END_STREAM);
}

/** A whole answer, `done` and status 0, with these trailers. */
export function wholeAnswer(streamId: number, more: Fields = []): Buffer {
  return Buffer.concat([
    answerHeaders(streamId),
    messageFrame(streamId, "done"),
    trailerFrames(streamId, [["grpc-status", "0"], ...more]),
  ]);
}

/** Starts a server whose HTTP/2 is made by hand: it acknowledges settings and answers pings; the rest is what a test says. */
export async function startFrameServer(serving: FrameServing): Promise<FrameServer> {
  const seen = { connections: 0, streams: 0 };
  const server = await startSocketServer((socket) => {
    socket.setNoDelay(true);
    const send = (...frames: readonly Uint8Array[]): void => {
      for (const frame of frames) if (socket.writable) socket.write(frame);
    };
    const connection: ServedFrames = { socket, connection: seen.connections++, send };
    if (serving.hello === undefined) send(http2Frame(frameTypes.settings, 0));
    else serving.hello(connection);
    let skip = PREFACE_BYTES;
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      let bytes = Buffer.concat([rest, chunk]);
      const skipped = Math.min(skip, bytes.length);
      skip -= skipped;
      bytes = bytes.subarray(skipped);
      while (skip === 0 && bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const end = 9 + bytes.readUIntBE(0, 3);
        take(bytes.subarray(0, end));
        bytes = bytes.subarray(end);
      }
      rest = bytes;
    });
    const take = (frame: Buffer): void => {
      const [type, flags = 0] = frame.subarray(3, 5);
      const streamId = frame.readUInt32BE(5);
      const acknowledged = (flags & 1) !== 0;
      if (type === frameTypes.settings && !acknowledged) {
        send(http2Frame(frameTypes.settings, 0, undefined, 1));
      }
      if (type === frameTypes.ping && !acknowledged) {
        send(http2Frame(frameTypes.ping, 0, frame.subarray(9), 1));
      }
      if (type === frameTypes.headers) {
        seen.streams++;
        serving.onStream?.(connection, streamId);
      }
      const ended = type === frameTypes.headers || type === frameTypes.data;
      if (ended && (flags & END_STREAM) !== 0) serving.onRequest?.(connection, streamId);
    };
  });
  return {
    ...server,
    get connections() {
      return seen.connections;
    },
    get streams() {
      return seen.streams;
    },
  };
}
