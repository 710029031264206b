import type { Socket } from "node:net";

/** A server that means no good over HTTP/1.1, and what a call on it comes to. */
export interface HostileHttp {
  readonly name: string;
  /** Told of every connection, and of every request on it. */
  readonly onConnection?: (socket: Socket) => void;
  readonly onRequest?: (socket: Socket) => void;
  /** What the first call says: a reason of the catalogue, or OK where nothing is worth an error; several where it is a race. */
  readonly says: readonly string[];
}

/** Answers every request with this text. */
function answering(name: string, says: string, text: string): HostileHttp {
  return { name, says: says.split(" or "), onRequest: (socket) => socket.write(text, "latin1") };
}

const answer = (head: string, body = "done"): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${head}\r\n${body}`;

/** A full queue, which another instance may take: one that says when to come back. */
function pushing(name: string, ...values: readonly string[]): HostileHttp {
  const head = values.map((value) => `retry-after: ${value}\r\n`).join("");
  const text = `HTTP/1.1 450 Queue Full\r\ncontent-length: 0\r\n${head}\r\n`;
  return answering(`retry-after: ${name}`, "QUEUE_FULL", text);
}

function reporting(name: string, value: string): HostileHttp {
  return answering(`reports a load: ${name}`, "OK", answer(`endpoint-load-metrics: ${value}\r\n`));
}

const aborted = "CONNECTION_LOST or ANSWER_MALFORMED";

/** Servers that break HTTP/1.1, or use it against who calls. */
export const hostileHttp: readonly HostileHttp[] = [
  { name: "never answers", says: ["DEADLINE_EXCEEDED"] },
  {
    name: "drops every connection",
    says: ["CONNECTION_LOST", "CONNECT_FAILED"],
    onConnection: (socket) => socket.destroy(),
  },
  {
    name: "resets every connection",
    says: ["CONNECTION_LOST", "CONNECT_FAILED"],
    onConnection: (socket) => socket.resetAndDestroy(),
  },
  {
    name: "drops every request",
    says: ["CONNECTION_LOST"],
    onRequest: (socket) => socket.destroy(),
  },
  {
    name: "closes in the middle of an answer",
    says: ["CONNECTION_LOST"],
    onRequest: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
  },
  {
    name: "speaks before it is asked",
    says: ["OK", "CONNECTION_LOST", "CONNECT_FAILED", "ANSWER_MALFORMED"],
    onConnection: (socket) => socket.write(answer("", "unasked")),
    onRequest: (socket) => socket.write(answer("")),
  },
  answering(
    "answers half",
    "DEADLINE_EXCEEDED",
    "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
  ),
  answering("answers twice", "OK", answer("").repeat(2)),
  answering("says more than its length", "OK", `${answer("")}more`),
  answering("says two lengths", aborted, answer("content-length: 3\r\n")),
  answering("says a length below zero", aborted, "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"),
  answering("says a length and chunks", aborted, answer("transfer-encoding: chunked\r\n")),
  answering(
    "sends chunks that are none",
    aborted,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  ),
  answering(
    "sends a chunk without end",
    "DEADLINE_EXCEEDED or MESSAGE_TOO_LARGE",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n",
  ),
  answering("answers in no protocol", aborted, "\x00\xff".repeat(1_000)),
  answering("speaks HTTP/2", aborted, "\0\0\0\x04\0\0\0\0\0"),
  answering("switches protocols", aborted, "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n"),
  answering(
    "hints a thousand times",
    "OK",
    `${"HTTP/1.1 103 H\r\n\r\n".repeat(1_000)}${answer("")}`,
  ),
  answering(
    "says continue a thousand times",
    `OK or ${aborted}`,
    `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000)}${answer("")}`,
  ),
  answering("says a header of a mebibyte", aborted, answer(`x: ${"y".repeat(2 ** 20)}\r\n`)),
  answering("says ten thousand headers", `OK or ${aborted}`, answer("x: y\r\n".repeat(10_000))),
  answering("says a header with a line feed", `OK or ${aborted}`, answer("x: a\nb: c\r\n")),
  answering("says status 999", "CALL_FAILED", "HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n"),
  answering(
    "says status 0",
    `CALL_FAILED or ${aborted}`,
    "HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n",
  ),
  answering(
    "redirects",
    "CALL_FAILED",
    "HTTP/1.1 302 X\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
  ),
  pushing("negative", "-1"),
  pushing("not a number", "NaN"),
  pushing("thirty thousand years", "1000000000000"),
  pushing("empty", ""),
  pushing("a thousand of them", ...Array.from({ length: 1_000 }, () => "0")),
  reporting("10 KB", `TEXT ${"a".repeat(10_000)}=1`),
  reporting("not a number", "TEXT application_utilization=NaN"),
  reporting("below zero", "TEXT application_utilization=-1, rps=-5"),
  reporting("rubbish", "JSON {{{{"),
];
