import type { MessagePort } from "node:worker_threads";
import { frameBytes, type Link, type LinkReceiver } from "./link.js";

/** Makes an end of the link between a host and a worker thread: each frame is copied once, and then belongs to the other side. */
export function createThreadLink(port: MessagePort): Link {
  let ended = false;
  return {
    open(receiver) {
      port.on("message", (message: unknown) => take(message, receiver));
      port.on("close", () => {
        ended = true;
        receiver.ended();
      });
    },
    send(head, body) {
      const bytes = frameBytes(head, body);
      if (ended) return;
      // Memory of its own: what comes out of Node's pool cannot be handed over.
      const frame = Buffer.allocUnsafeSlow(bytes);
      frame.set(head);
      frame.set(body, head.length);
      port.postMessage(frame.buffer, [frame.buffer as ArrayBuffer]);
    },
    close() {
      ended = true;
      port.close();
    },
    hold(on) {
      if (on) port.ref();
      else port.unref();
    },
  };
}

function take(message: unknown, receiver: LinkReceiver): void {
  if (message instanceof ArrayBuffer) receiver.frame(Buffer.from(message));
}
