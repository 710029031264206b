import { constants } from "node:http2";
import {
  answerHeaders,
  type FrameServing,
  headerFrames,
  messageFrame,
  trailerFrames,
  wholeAnswer,
} from "./frame-server.js";
import { END_STREAM, frameTypes, http2Frame, uint32 } from "./raw-http2.js";

/** A server that means no good, and what a call on it comes to. */
export interface HostileGrpc {
  readonly name: string;
  readonly serving: FrameServing;
  /** What the first call says: a reason of the catalogue, or OK where nothing is worth an error; several where it is a race. */
  readonly says: readonly string[];
}

type Fields = Parameters<typeof trailerFrames>[1];

/** Answers every request with these frames. */
function answering(
  name: string,
  says: string,
  answer: (streamId: number) => Uint8Array,
): HostileGrpc {
  const onRequest: FrameServing["onRequest"] = ({ send }, id) => send(answer(id));
  return { name, says: says.split(" or "), serving: { onRequest } };
}

/** Refuses every call with status and trailers in one. */
function refusing(name: string, says: string, trailers: Fields): HostileGrpc {
  const fields: Fields = [[":status", "200"], ["content-type", "application/grpc"], ...trailers];
  return answering(name, says, (id) => headerFrames(id, fields, END_STREAM));
}

/** Ends a call that is refused before any work, and tells when to come back. */
function pushing(name: string, ...pushback: readonly string[]): HostileGrpc {
  // Node takes no more than 128 headers.
  const says = pushback.length > 100 ? "CALL_FAILED" : "DRAINING";
  return refusing(`pushback: ${name}`, says, [
    ["grpc-status", "14"],
    ["inferwire-reason", "DRAINING"],
    ...pushback.map((text) => ["grpc-retry-pushback-ms", text] as const),
  ]);
}

/** Begins every connection with these settings, and answers as it should. */
function setting(name: string, says: string, id: number, value: number): HostileGrpc {
  const payload = Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)]);
  return {
    name,
    says: says.split(" or "),
    serving: {
      hello: ({ send }) => send(http2Frame(frameTypes.settings, 0, payload)),
      onRequest: ({ send }, stream) => send(wholeAnswer(stream)),
    },
  };
}

/** Sends these on a connection as soon as its settings have gone out, then answers as it should. */
function greeting(name: string, says: string, ...frames: readonly Uint8Array[]): HostileGrpc {
  return {
    name,
    says: says.split(" or "),
    serving: {
      hello: ({ send }) => send(http2Frame(frameTypes.settings, 0), ...frames),
      onRequest: ({ send }, stream) => send(wholeAnswer(stream)),
    },
  };
}

const times = (count: number, frame: Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => frame));

const goaway = (code: number): Buffer =>
  http2Frame(frameTypes.goaway, 0, Buffer.concat([uint32(0), uint32(code)]));

const ok: Fields = [["grpc-status", "0"]];
const rubbish = Buffer.from(Array.from({ length: 200 }, (_, n) => 0x80 + (n % 0x7f)));

/** Servers that break HTTP/2 or gRPC, or use them against who calls. */
export const hostileGrpc: readonly HostileGrpc[] = [
  { name: "never answers", says: ["DEADLINE_EXCEEDED"], serving: {} },
  { name: "never says a word", says: ["CONNECT_FAILED"], serving: { hello: () => {} } },
  {
    name: "drops every connection",
    says: ["CONNECT_FAILED"],
    serving: { hello: ({ socket }) => socket.destroy() },
  },
  {
    name: "resets every connection",
    says: ["CONNECT_FAILED"],
    serving: { hello: ({ socket }) => socket.resetAndDestroy() },
  },
  {
    name: "speaks HTTP/1.1",
    says: ["CONNECT_FAILED"],
    serving: {
      hello: ({ send }) =>
        send(Buffer.from("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")),
    },
  },
  {
    name: "says GOAWAY on every connection",
    says: ["CALL_REFUSED", "CONNECT_FAILED"],
    serving: { hello: ({ send }) => send(http2Frame(frameTypes.settings, 0), goaway(0)) },
  },
  {
    name: "says GOAWAY to every call",
    says: ["CALL_REFUSED", "CONNECT_FAILED"],
    serving: { onStream: ({ send }) => send(goaway(constants.NGHTTP2_NO_ERROR)) },
  },
  {
    name: "says ENHANCE_YOUR_CALM to every call",
    says: ["CALL_FAILED", "CONNECTION_LOST"],
    serving: {
      onStream: ({ send, socket }) => {
        send(goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM));
        socket.end();
      },
    },
  },
  {
    name: "refuses every stream",
    says: ["CALL_REFUSED"],
    serving: {
      onStream: ({ send }, id) =>
        send(http2Frame(frameTypes.reset, id, uint32(constants.NGHTTP2_REFUSED_STREAM))),
    },
  },
  {
    name: "closes in the middle of a message",
    says: ["CONNECTION_LOST"],
    serving: {
      onRequest: ({ send, socket }, id) => {
        send(answerHeaders(id), messageFrame(id, "do", 4));
        socket.end();
      },
    },
  },
  setting("allows no stream", "DEADLINE_EXCEEDED", 3, 0),
  setting("has no window", "DEADLINE_EXCEEDED", 4, 0),
  setting("takes no headers", "OK", 6, 0),
  setting("has a window that is too large", "CONNECT_FAILED", 4, 2 ** 32 - 1),
  setting("has frames that are too small", "CONNECT_FAILED", 5, 1),
  answering("answers without end", "DEADLINE_EXCEEDED", answerHeaders),
  answering("answers twice", "OK", (id) => Buffer.concat([wholeAnswer(id), wholeAnswer(id)])),
  answering("says trailers twice", "OK", (id) =>
    Buffer.concat([wholeAnswer(id), trailerFrames(id, ok)]),
  ),
  answering("says more behind the trailers", "OK", (id) =>
    Buffer.concat([wholeAnswer(id), messageFrame(id, "more")]),
  ),
  answering("answers with two messages", "ANSWER_MALFORMED", (id) =>
    Buffer.concat([
      answerHeaders(id),
      messageFrame(id, "one"),
      messageFrame(id, "two"),
      trailerFrames(id, ok),
    ]),
  ),
  answering("answers with no message", "CALL_FAILED", (id) =>
    Buffer.concat([answerHeaders(id), trailerFrames(id, ok)]),
  ),
  answering("answers with half a message", "CALL_FAILED", (id) =>
    Buffer.concat([answerHeaders(id), messageFrame(id, "do", 4), trailerFrames(id, ok)]),
  ),
  answering("claims a message of four gibibytes", "MESSAGE_TOO_LARGE", (id) =>
    Buffer.concat([answerHeaders(id), messageFrame(id, "do", 2 ** 32 - 1)]),
  ),
  answering("claims compression that nobody named", "ANSWER_MALFORMED", (id) =>
    Buffer.concat([answerHeaders(id), messageFrame(id, "do", 2, 1), trailerFrames(id, ok)]),
  ),
  answering("begins with a message", "DEADLINE_EXCEEDED or CONNECTION_LOST", (id) =>
    messageFrame(id, "done"),
  ),
  answering("answers a stream that is not there", "CONNECTION_LOST", (id) =>
    answerHeaders(id + 100),
  ),
  answering("promises streams", "DEADLINE_EXCEEDED or CONNECTION_LOST", (id) =>
    http2Frame(5, id, Buffer.concat([uint32(2), Buffer.from([0x82])]), 4),
  ),
  answering("says a thousand early hints", "OK", (id) =>
    Buffer.concat([times(1_000, headerFrames(id, [[":status", "103"]])), wholeAnswer(id)]),
  ),
  answering("answers as a web page", "CALL_FAILED", (id) =>
    headerFrames(
      id,
      [
        [":status", "404"],
        ["content-type", "text/html"],
      ],
      END_STREAM,
    ),
  ),
  refusing("says status 999", "CALL_FAILED", [["grpc-status", "999"]]),
  refusing("says status -1", "CALL_FAILED", [["grpc-status", "-1"]]),
  refusing("says a text for a status", "CALL_FAILED", [["grpc-status", "fine"]]),
  refusing("says two statuses", "CALL_FAILED", [
    ["grpc-status", "0"],
    ["grpc-status", "5"],
  ]),
  refusing("says a message with broken percent encoding", "CALL_FAILED", [
    ["grpc-status", "9"],
    ["grpc-message", "100 %, %zz, %E0%A4%A, %"],
  ]),
  refusing("says a message of control characters", "CALL_FAILED", [
    ["grpc-status", "9"],
    ["grpc-message", "%00%1b%5b2J%0d%0ainjected"],
  ]),
  answering("says binary rubbish in trailers", "OK", (id) =>
    wholeAnswer(id, [
      ["rubbish-bin", rubbish],
      ["grpc-status-details-bin", "!!!! no base64 !!!!"],
    ]),
  ),
  answering("says a trailer of a mebibyte", "DEADLINE_EXCEEDED or CALL_FAILED", (id) =>
    wholeAnswer(id, [["large", "x".repeat(2 ** 20)]]),
  ),
  answering("says ten thousand trailers", "CALL_FAILED", (id) =>
    wholeAnswer(
      id,
      Array.from({ length: 10_000 }, (_, n) => [`t${n}`, "x"] as const),
    ),
  ),
  ...(
    [
      ["100 KB", Buffer.alloc(100_000, "A")],
      ["not a number", "CQAAAAAAAPh/"],
      ["below zero", "CQAAAAAAAPC/"],
      ["rubbish", "////"],
    ] as const
  ).map(([name, load]) =>
    answering(
      `reports a load: ${name}`,
      name === "100 KB" ? "DEADLINE_EXCEEDED or CALL_FAILED" : "OK",
      (id) => wholeAnswer(id, [["endpoint-load-metrics-bin", load]]),
    ),
  ),
  pushing("negative", "-1"),
  pushing("not a number", "NaN"),
  pushing("thirty years", "1000000000000"),
  pushing("empty", ""),
  pushing("a thousand of them", ...Array.from({ length: 1_000 }, () => "0")),
  greeting(
    "sends ten thousand pings",
    "CONNECTION_LOST or CONNECT_FAILED",
    times(10_000, http2Frame(6, 0, Buffer.alloc(8))),
  ),
  greeting(
    "sends ten thousand settings",
    "CONNECTION_LOST or CONNECT_FAILED",
    times(10_000, http2Frame(4, 0)),
  ),
  greeting(
    "sends frames that nobody knows",
    "OK",
    times(1_000, http2Frame(0xee, 0, Buffer.alloc(99))),
  ),
  greeting(
    "opens the window beyond all bounds",
    "CONNECTION_LOST or CONNECT_FAILED",
    times(2, http2Frame(8, 0, uint32(2 ** 31 - 1))),
  ),
];
