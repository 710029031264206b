import { connect, createServer, type Socket } from "node:net";

/** Stands between clients and a server of this machine. */
export interface TcpGate extends AsyncDisposable {
  /** `127.0.0.1:PORT`, where clients come in. */
  readonly address: string;
  /** Resets all connections, and takes none until it is opened. */
  shut(): void;
  /** Keeps all connections, and lets no byte through until it is opened: as a network does that has lost its way. */
  mute(): void;
  /** Lets everything through. */
  open(): void;
}

/** Makes an open gate in front of a port. */
export function startTcpGate(port: number): Promise<TcpGate> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "open" | "shut" | "mute" = "open";

  const server = createServer((client) => {
    if (state === "shut") {
      client.resetAndDestroy();
      return;
    }
    const pair = [client, connect(port, "127.0.0.1")] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.on("data", (chunk: Buffer) => {
        // What is not read stays in the kernel, and with the sender when that is full.
        if (!to.write(chunk)) {
          from.pause();
          to.once("drain", () => state === "open" && from.resume());
        }
      });
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
    if (state === "mute") for (const socket of pair) socket.pause();
  });

  function set(next: typeof state): void {
    state = next;
    for (const socket of [...pairs].flat()) {
      if (next === "shut") socket.resetAndDestroy();
      else if (next === "mute") socket.pause();
      else socket.resume();
    }
  }

  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      resolve({
        address: `127.0.0.1:${address.port}`,
        shut: () => set("shut"),
        mute: () => set("mute"),
        open: () => set("open"),
        [Symbol.asyncDispose]: () =>
          new Promise((done) => {
            server.close(() => done());
            set("shut");
          }),
      });
    });
  });
}
