import { connect, type Socket } from "node:net";

/** Types of HTTP/2 frames that the tests make by hand. Source: RFC 9113, 6. */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames. */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** One frame, made by hand: nothing about it is checked. */
export function http2Frame(
  type: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
  flags = 0,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A number of four bytes, as most payloads want it. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Header fields as HPACK literals that no table remembers. Source: RFC 7541, 6.2.2. */
export function hpackLiterals(fields: readonly (readonly [string, string | Buffer])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0]),
      hpackText(Buffer.from(name)),
      hpackText(typeof value === "string" ? Buffer.from(value) : value),
    ]),
  );
}

function hpackText(bytes: Buffer): Buffer {
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** What the other side of a raw connection has said. */
export interface RawFrames {
  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Sends bytes and waits until the kernel has taken them, or the connection is gone. */
  flush(bytes: Uint8Array): Promise<void>;
  /** Error code of the GOAWAY that came; undefined while none has. */
  readonly goaway: number | undefined;
  /** How many frames of this type came. */
  count(type: number): number;
  /** Error codes of the RST_STREAMs that came, in order. */
  readonly resets: readonly number[];
  /** Whether the other side has closed the connection; this side never does by itself. */
  readonly closed: boolean;
  /** Waits until the other side has closed the connection. */
  readonly gone: Promise<void>;
  /** Waits until everything sent so far has been dealt with: a ping is answered, GOAWAY comes, or the connection goes. */
  heard(): Promise<void>;
  destroy(): void;
}

class FrameSocket implements RawFrames {
  readonly gone: Promise<void>;
  readonly resets: number[] = [];
  goaway: number | undefined;
  closed = false;
  readonly #socket: Socket;
  readonly #counts = new Map<number, number>();
  #rest: Buffer = Buffer.alloc(0);
  #listeners: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.gone = new Promise((resolve) => {
      const closed = (): void => {
        this.closed = true;
        this.#tell();
        resolve();
      };
      socket.once("end", closed);
      socket.once("close", closed);
    });
  }

  #take(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 9) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes.length < 9 + length) break;
      const type = bytes[3] ?? 0;
      const payload = bytes.subarray(9, 9 + length);
      this.#counts.set(type, this.count(type) + 1);
      if (type === frameTypes.reset) this.resets.push(payload.readUInt32BE(0));
      if (type === frameTypes.goaway) this.goaway = payload.readUInt32BE(4);
      bytes = bytes.subarray(9 + length);
    }
    this.#rest = bytes;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }

  async heard(): Promise<void> {
    const pings = this.count(frameTypes.ping);
    this.write(http2Frame(frameTypes.ping, 0, Buffer.alloc(8)));
    const over = (): boolean =>
      this.closed || this.goaway !== undefined || this.count(frameTypes.ping) > pings;
    while (!over()) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }

  count(type: number): number {
    return this.#counts.get(type) ?? 0;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  flush(bytes: Uint8Array): Promise<void> {
    if (this.closed) return Promise.resolve();
    const taken = new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()));
    return Promise.race([taken, this.gone]);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/**
 * Opens an HTTP/2 connection whose frames are made by hand: preface and empty SETTINGS have been sent. It stays half
 * open when the other side closes it, as a caller's would who means no good.
 */
export function connectFrames(port: number): Promise<RawFrames> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => {
      const frames = new FrameSocket(socket);
      frames.write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
      frames.write(http2Frame(frameTypes.settings, 0));
      resolve(frames);
    });
    socket.once("error", reject);
  });
}
