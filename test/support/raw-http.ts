import { connect, type Socket } from "node:net";

/** What came back on a raw connection until it was closed, or `until` was seen. */
export interface RawAnswer {
  readonly text: string;
  /** Whether the other side closed the connection. */
  readonly closed: boolean;
}

/** A TCP connection to a port of this machine. */
export function connectRaw(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Collects what a connection says until it closes, or `until` appears in it. */
export function answerOf(socket: Socket, until?: string): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = "";
    const finish = (closed: boolean): void => {
      socket.destroy();
      resolve({ text, closed });
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (until !== undefined && text.includes(until)) finish(false);
    });
    socket.once("close", () => finish(true));
    socket.on("error", () => {});
  });
}

/** Sends a whole request as text on a connection of its own. */
export async function exchangeRaw(
  port: number,
  request: string,
  until?: string,
): Promise<RawAnswer> {
  const socket = await connectRaw(port);
  socket.write(request, "latin1");
  return answerOf(socket, until);
}

/** An HTTP answer, read whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Makes a plain HTTP request to a port of this machine. */
export async function http(
  port: number,
  path: string,
  init: RequestInit = {},
): Promise<HttpAnswer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** POSTs a body. */
export function post(
  port: number,
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  return http(port, path, {
    method: "POST",
    body: typeof body === "string" ? body : Buffer.from(body),
    headers,
  });
}

/** The reason in a JSON error body. */
export function reasonOf(answer: HttpAnswer): string {
  const { error } = JSON.parse(answer.text) as { error: { reason: string } };
  return error.reason;
}
