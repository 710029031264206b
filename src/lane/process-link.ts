import type { Socket } from "node:net";
import { FrameReader, PREFIX_BYTES, writePrefix } from "./frame-reader.js";
import { frameBytes, type Link, type LinkReceiver } from "./link.js";

/** Frames up to this size are joined with their neighbours; a larger body is written from where it lies. */
const JOINED_BYTES = 16_384;

/** Makes an end of the link between a host and a child process, over a duplex socket; what is sent in one turn is one write. */
export function createProcessLink(socket: Socket): Link {
  return new ProcessLink(socket);
}

class ProcessLink implements Link {
  readonly #socket: Socket;
  #unsent: Uint8Array[] = [];
  #flushing = false;
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  open(receiver: LinkReceiver): void {
    const socket = this.#socket;
    const end = (): void => {
      if (this.#ended) return;
      this.#ended = true;
      receiver.ended();
    };
    const reader = new FrameReader((frame) => {
      if (!this.#ended) receiver.frame(frame);
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        // Whoever sends what is no frame is of no more use: the end of the link says so.
        socket.destroy();
        end();
      }
    });
    // A broken socket closes too; that is all there is to know about it.
    socket.on("error", () => {});
    socket.on("end", end);
    socket.on("close", end);
  }

  send(head: Buffer, body: Uint8Array): void {
    const bytes = frameBytes(head, body);
    if (this.#ended) return;
    const joined = bytes <= JOINED_BYTES;
    const front = Buffer.allocUnsafe(PREFIX_BYTES + (joined ? bytes : head.length));
    writePrefix(front, bytes);
    head.copy(front, PREFIX_BYTES);
    if (joined) front.set(body, PREFIX_BYTES + head.length);
    this.#unsent.push(front);
    if (!joined) this.#unsent.push(body);
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => this.#flush());
  }

  close(): void {
    this.#flush();
    this.#socket.end();
  }

  hold(on: boolean): void {
    if (on) this.#socket.ref();
    else this.#socket.unref();
  }

  #flush(): void {
    this.#flushing = false;
    const unsent = this.#unsent;
    this.#unsent = [];
    const [first] = unsent;
    if (first === undefined || !this.#socket.writable) return;
    if (unsent.length === 1) {
      this.#socket.write(first);
      return;
    }
    this.#socket.cork();
    for (const part of joinSmall(unsent)) this.#socket.write(part);
    this.#socket.uncork();
  }
}

/** Joins neighbours that are small: each part of a write costs more than copying it. */
function joinSmall(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const join = (): void => {
    if (small.length > 0) joined.push(Buffer.concat(small));
    small = [];
  };
  for (const part of parts) {
    if (part.byteLength <= JOINED_BYTES + PREFIX_BYTES) {
      small.push(part);
    } else {
      join();
      joined.push(part);
    }
  }
  join();
  return joined;
}
