import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { decode, encode, type Packet } from "dns-packet";
import { until } from "./until.js";

/** A question as it came in. */
export interface AskedDns {
  readonly over: "udp" | "tcp";
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** Makes a message of it: the reply, but for what is given. */
  reply(more?: Packet): Buffer;
}

/** What a server does with a question: sends messages, bytes as they are (over TCP without a length), or nothing. */
export type DnsBehaviour = (asked: AskedDns) => readonly Buffer[] | { readonly raw: Buffer };

/** A DNS server on the loopback that does as it is told, over UDP and TCP on the same port. */
export interface HostileDns extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  behaviour: DnsBehaviour;
  /** How many questions came. */
  readonly asked: number;
}

const AUTHORITATIVE = 1 << 10;

/** Starts a server that says nothing until it is told. */
export async function startHostileDns(): Promise<HostileDns> {
  const tcp = createServer();
  const udp = createSocket("udp4");
  const sockets = new Set<Socket>();
  const server = { behaviour: (() => []) as DnsBehaviour, asked: 0 };

  function askedIn(over: AskedDns["over"], bytes: Buffer): AskedDns {
    const { id = 0, questions = [] } = decode(bytes);
    const { name = "", type = "A" } = questions[0] ?? {};
    const common: Packet = { type: "response", id, flags: AUTHORITATIVE, questions };
    server.asked += 1;
    return { over, id, name, type, reply: (more = {}) => encode({ ...common, ...more }) };
  }

  udp.on("message", (bytes, from) => {
    const did = server.behaviour(askedIn("udp", bytes));
    const messages = "raw" in did ? [did.raw] : did;
    for (const message of messages) udp.send(message, from.port, from.address);
  });
  tcp.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", (bytes) => {
      const did = server.behaviour(askedIn("tcp", bytes.subarray(2)));
      if ("raw" in did) {
        socket.write(did.raw);
        return;
      }
      for (const message of did) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(message.length);
        socket.write(Buffer.concat([length, message]));
      }
    });
  });

  let port = 0;
  await until(async () => {
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    const address = tcp.address();
    port = address !== null && typeof address === "object" ? address.port : 0;
    const bound = await new Promise<boolean>((resolve) => {
      udp.once("error", () => resolve(false));
      udp.bind(port, "127.0.0.1", () => resolve(true));
    });
    if (!bound) await new Promise((resolve) => tcp.close(resolve));
    return bound;
  });
  return Object.assign(server, {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      udp.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => tcp.close(resolve));
    },
  });
}
