import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** The request target. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a server answers; `"never"` leaves the request without answer, `"reset"` breaks the connection. */
export type EasAnswer =
  | "never"
  | "reset"
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
    };

/** A plain HTTP server that remembers what it was asked. */
export interface EasServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Answers from now on. */
  answer: (request: SeenRequest) => EasAnswer;
}

/** Starts one; without `answer` it echoes. */
export async function startEasServer(
  answer: (request: SeenRequest) => EasAnswer = ({ body }) => ({ body }),
  tls?: { readonly cert: string; readonly key: string },
): Promise<EasServer> {
  const requests: SeenRequest[] = [];
  const server = tls === undefined ? createServer() : createTlsServer({ ...tls });
  const started: EasServer = {
    port: 0,
    requests,
    answer,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  server.on("request", (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", () => {});
    incoming.on("end", () => {
      const { method = "", url: target = "", headers } = incoming;
      const request = { method, target, headers, body: Buffer.concat(chunks) };
      requests.push(request);
      send(response, started.answer(request));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(started, { port: (server.address() as AddressInfo).port });
}

function send(response: ServerResponse, answer: EasAnswer): void {
  if (answer === "never") return;
  if (answer === "reset") {
    response.socket?.destroy();
    return;
  }
  const { status = 200, headers = {}, body = "" } = answer;
  response.writeHead(status, headers).end(body);
}

/** EAS's discovery JSON for instances on this machine, by port and weight. */
export function listing(...ports: readonly (number | readonly [port: number, weight: number])[]): {
  readonly body: string;
} {
  const items = ports.map((entry) => {
    const [port, weight] = typeof entry === "number" ? [entry, 100] : entry;
    return { app: "mnist", ip: "127.0.0.1", port, weight };
  });
  return { body: JSON.stringify({ correlative: ["mnist"], endpoints: { items } }) };
}
