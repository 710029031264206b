import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { systemClock } from "../../src/core/ports.js";
import type { Certificate } from "./certificates.js";
import { type ApiResponse, KubernetesApi } from "./kubernetes-api.js";
import { type GivenSlice, KubernetesStore } from "./kubernetes-store.js";

/** How the fake is started. */
export interface FakeKubernetesOptions {
  /** TLS; plain HTTP without. */
  readonly certificate?: Certificate | undefined;
  /** Everything is written in pieces of so many bytes, wherever they cut. */
  readonly pieceBytes?: number;
}

/** A fake API server over real sockets. */
export interface FakeKubernetes extends AsyncDisposable {
  readonly port: number;
  readonly scheme: "http" | "https";
  readonly store: KubernetesStore;
  readonly api: KubernetesApi;
  /** Connections that are open. */
  readonly connections: number;
  /** Connections that were ever opened. */
  readonly opened: number;
  /** While true, nothing is sent: what is written waits, as behind a router that forgot the connection. */
  mute: boolean;
  /** Breaks all connections, and refuses new ones until `resume`. */
  down(): Promise<void>;
  resume(): Promise<void>;
}

/** Starts a fake API server on 127.0.0.1. */
export async function startFakeKubernetes(
  options: FakeKubernetesOptions = {},
): Promise<FakeKubernetes> {
  const { certificate, pieceBytes } = options;
  const store = new KubernetesStore();
  const api = new KubernetesApi(store, systemClock);
  const sockets = new Set<Socket>();
  let opened = 0;
  const listener: RequestListener = (request, response) => {
    const carried = responseOver(response, { pieceBytes, mute: () => fake.mute });
    response.on("close", () => api.gone(carried));
    api.answer(requestOf(request), carried);
  };
  const server =
    certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
  server.on("connection", (socket: Socket) => {
    opened += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", resolve);
    });
  const down = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const fake: FakeKubernetes = {
    port,
    scheme: certificate === undefined ? "http" : "https",
    store,
    api,
    get connections() {
      return sockets.size;
    },
    get opened() {
      return opened;
    },
    mute: false,
    down,
    resume: () => listen(port),
    [Symbol.asyncDispose]: () => (server.listening ? down() : Promise.resolve()),
  };
  return fake;
}

function requestOf({ method = "", url = "", headers }: IncomingMessage) {
  return { method, target: url, headers };
}

function responseOver(
  response: ServerResponse,
  { pieceBytes, mute }: { readonly pieceBytes: number | undefined; readonly mute: () => boolean },
): ApiResponse {
  /** Pieces go out one a turn of the event loop, lest they be joined again. */
  const waiting: (Buffer | "end")[] = [];
  const pump = (): void => {
    const next = mute() ? undefined : waiting.shift();
    if (next === "end") response.end();
    else if (next !== undefined) response.write(next);
    if (waiting.length > 0 && !response.destroyed) setImmediate(pump);
  };
  const push = (piece: Buffer | "end"): void => {
    if (waiting.length === 0) setImmediate(pump);
    waiting.push(piece);
  };
  return {
    head(status, headers) {
      response.writeHead(status, headers);
      if (!mute()) response.flushHeaders();
    },
    write(text) {
      if (mute()) return;
      const bytes = Buffer.from(text);
      if (pieceBytes === undefined) response.write(bytes);
      else
        for (let at = 0; at < bytes.length; at += pieceBytes)
          push(bytes.subarray(at, at + pieceBytes));
    },
    end() {
      if (mute()) return;
      if (pieceBytes === undefined) response.end();
      else push("end");
    },
    reset() {
      response.destroy();
    },
  };
}

/** A ready endpoint of each address, with a port called `grpc`. */
export function sliceOf(
  name: string,
  addresses: readonly string[],
  more: Partial<GivenSlice> & { readonly port?: number } = {},
): GivenSlice {
  const { port = 8080, ...rest } = more;
  return {
    name,
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
    ports: [{ name: "grpc", port, protocol: "TCP" }],
    ...rest,
  };
}
