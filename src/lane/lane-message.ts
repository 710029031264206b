import { deserialize, serialize } from "node:v8";
import type { PlainError } from "../core/error-codec.js";
import type { DoorName, Handler } from "../core/invocation.js";
import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import { servingError } from "../core/serving-error.js";
import { isAnswerStatus } from "../processor/answers.js";
import type { LaneKind } from "../processor/processor.js";
import { decodeFrame, encodeHead, type Frame, noBytes } from "./frame.js";
import { metadataFromTexts, textsFromMetadata } from "./metadata-texts.js";

/** What a lane is told before anything else. */
export interface StartOrder {
  /** URL of the module that holds the processor. */
  readonly module: string;
  readonly kind: LaneKind;
  readonly index: number;
  readonly count: number;
  readonly service: string;
  readonly modelPath: string | undefined;
  readonly modelConfig: unknown;
  readonly properties: ReadonlyMap<string, string>;
  readonly exposeErrors: boolean;
}

/** What a lane is told of a call besides its payloads. */
export interface CallHead {
  readonly door: DoorName;
  readonly handler: Handler;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly peer: string;
  readonly requestId: string;
  readonly metadata: MetadataView;
  /** Shared time. */
  readonly arrivedMs: number;
  /** Shared time; Infinity without a deadline. */
  readonly deadlineMs: number;
  /** Shared time; Infinity without one. */
  readonly callerDeadlineMs: number;
  readonly takesPieces: boolean;
}

/** A line of the kit's logger. */
export interface LogMessage {
  readonly type: "log";
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Everything that host and lane say to each other. What belongs to a call or a question carries its `id`.
 *
 * ```
 * host                             lane
 *   start ------------------------->  loads the module, initialises
 *   <---------------- ready | failed
 *   call, piece..., end ----------->  `end` after the pieces of the request, if it is a sequence
 *   <-- answer                        one payload: the call is over
 *   <-- pieces, headers, piece..., end   an answer in pieces; over with `end`
 *   <-- error                         over, at any time
 *   <- credit | credit ->             the reader of a sequence wants so many pieces and bytes more
 *   <- stop | stop ->                 the reader of a sequence wants none any more
 *   abort -------------------------->  the call is given up; the lane still ends it as above
 *   ping -> <- pong, ask -> <- says, tell ->, properties ->, <- log
 *   close --------------------------> ends calls in progress, disposes
 *   <----------------------- closed
 * ```
 */
export type LaneMessage =
  | { readonly type: "start"; readonly order: StartOrder }
  | { readonly type: "ready"; readonly checksReady: boolean }
  | { readonly type: "failed"; readonly error: PlainError }
  | {
      readonly type: "call";
      readonly id: number;
      readonly head: CallHead;
      /** Undefined: pieces follow. */
      readonly payload: Uint8Array | undefined;
    }
  | {
      readonly type: "answer";
      readonly id: number;
      readonly status: number;
      readonly headers: MetadataView;
      readonly trailers: MetadataView;
      readonly payload: Uint8Array;
    }
  | { readonly type: "pieces"; readonly id: number; readonly status: number }
  | { readonly type: "headers"; readonly id: number; readonly headers: MetadataView }
  | { readonly type: "piece"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly id: number; readonly trailers: MetadataView }
  | {
      readonly type: "error";
      readonly id: number;
      readonly error: PlainError;
      /** It is the reason for which the call was aborted. */
      readonly aborted: boolean;
    }
  | {
      readonly type: "credit";
      readonly id: number;
      readonly pieces: number;
      readonly bytes: number;
    }
  | { readonly type: "stop"; readonly id: number }
  | { readonly type: "abort"; readonly id: number; readonly error: PlainError }
  | { readonly type: "ask"; readonly id: number }
  | { readonly type: "says"; readonly id: number; readonly ready: boolean }
  | { readonly type: "ping" }
  | { readonly type: "pong" }
  | { readonly type: "tell"; readonly bytes: Uint8Array }
  | { readonly type: "properties"; readonly values: ReadonlyMap<string, string> }
  | LogMessage
  | { readonly type: "close" }
  | { readonly type: "closed" };

type MessageType = LaneMessage["type"];

/** A message's kind on the wire is its place here. */
const types: readonly MessageType[] = [
  "start",
  "ready",
  "failed",
  "call",
  "answer",
  "pieces",
  "headers",
  "piece",
  "end",
  "error",
  "credit",
  "stop",
  "abort",
  "ask",
  "says",
  "ping",
  "pong",
  "tell",
  "properties",
  "log",
  "close",
  "closed",
];

const kindOf: ReadonlyMap<MessageType, number> = new Map(types.map((type, kind) => [type, kind]));

/** A message as a link carries it. */
export interface EncodedMessage {
  readonly head: Buffer;
  /** The payload itself, not a copy. */
  readonly body: Uint8Array;
}

/** Turns a message into what a link sends. */
export function encodeMessage(message: LaneMessage): EncodedMessage {
  const frame = frameFrom(message);
  return { head: encodeHead(frame), body: frame.body };
}

/**
 * Turns a frame of a link into a message; payloads are views over it.
 *
 * @throws HostError `INTERNAL` for what is no message.
 */
export function decodeMessage(bytes: Buffer): LaneMessage {
  const frame = decodeFrame(bytes);
  const type = types[frame.kind];
  if (type === undefined) throw servingError("INTERNAL", `no message of a lane is ${frame.kind}`);
  return messageFrom(type, frame);
}

interface FrameParts {
  readonly id?: number;
  readonly numbers?: readonly number[];
  readonly texts?: readonly string[];
  readonly body?: Uint8Array;
}

function frameFrom(message: LaneMessage): Frame {
  const { id = 0, numbers = [], texts = [], body = noBytes } = partsOf(message);
  return { kind: kindOf.get(message.type) ?? 0, id, numbers, texts, body };
}

function partsOf(message: LaneMessage): FrameParts {
  switch (message.type) {
    case "call":
      return callParts(message);
    case "answer":
      return answerParts(message);
    case "start":
      return { body: serialize(message.order) };
    case "ready":
      return { numbers: [Number(message.checksReady)] };
    case "failed":
      return { body: serialize(message.error) };
    case "pieces":
      return { id: message.id, numbers: [message.status] };
    case "headers":
      return { id: message.id, texts: textsFromMetadata(message.headers) };
    case "piece":
      return { id: message.id, body: message.bytes };
    case "end":
      return { id: message.id, texts: textsFromMetadata(message.trailers) };
    case "error":
      return {
        id: message.id,
        numbers: [Number(message.aborted)],
        body: serialize(message.error),
      };
    case "credit":
      return { id: message.id, numbers: [message.pieces, message.bytes] };
    case "abort":
      return { id: message.id, body: serialize(message.error) };
    case "stop":
    case "ask":
      return { id: message.id };
    case "says":
      return { id: message.id, numbers: [Number(message.ready)] };
    case "tell":
      return { body: message.bytes };
    case "properties":
      return { body: serialize(message.values) };
    case "log":
      return { texts: [message.level, message.message], body: serialize(message.fields) };
    case "ping":
    case "pong":
    case "close":
    case "closed":
      return {};
  }
}

function callParts({ id, head, payload }: LaneMessage & { type: "call" }): FrameParts {
  const { door, handler, service, method, path, query, peer, requestId } = head;
  const texts: string[] = [door, handler, service, method, path, query, peer, requestId];
  return {
    id,
    numbers: [
      head.arrivedMs,
      head.deadlineMs,
      head.callerDeadlineMs,
      Number(head.takesPieces),
      Number(payload !== undefined),
    ],
    texts: textsFromMetadata(head.metadata, texts),
    body: payload ?? noBytes,
  };
}

function answerParts(message: LaneMessage & { type: "answer" }): FrameParts {
  const { id, status, headers, trailers, payload } = message;
  if (headers === emptyMetadata && trailers === emptyMetadata) {
    return { id, numbers: [status, 0], body: payload };
  }
  const texts = textsFromMetadata(headers);
  const ofHeaders = texts.length;
  return {
    id,
    numbers: [status, ofHeaders],
    texts: textsFromMetadata(trailers, texts),
    body: payload,
  };
}

function messageFrom(type: MessageType, frame: Frame): LaneMessage {
  const { id, numbers, texts, body } = frame;
  const [first = 0, second = 0] = numbers;
  switch (type) {
    case "call":
      return callFrom(frame);
    case "answer":
      return {
        type,
        id,
        status: statusFrom(first),
        headers: metadataFromTexts(texts, 0, second),
        trailers: metadataFromTexts(texts, second),
        payload: body,
      };
    case "start":
      return { type, order: deserialize(body) as StartOrder };
    case "ready":
      return { type, checksReady: first === 1 };
    case "failed":
      return { type, error: deserialize(body) as PlainError };
    case "pieces":
      return { type, id, status: statusFrom(first) };
    case "headers":
      return { type, id, headers: metadataFromTexts(texts) };
    case "piece":
      return { type, id, bytes: body };
    case "end":
      return { type, id, trailers: metadataFromTexts(texts) };
    case "error":
      return { type, id, aborted: first === 1, error: deserialize(body) as PlainError };
    case "credit":
      return { type, id, pieces: first, bytes: second };
    case "abort":
      return { type, id, error: deserialize(body) as PlainError };
    case "stop":
    case "ask":
      return { type, id };
    case "says":
      return { type, id, ready: first === 1 };
    case "tell":
      return { type, bytes: body };
    case "properties":
      return { type, values: deserialize(body) as ReadonlyMap<string, string> };
    case "log":
      return {
        type,
        level: levelFrom(texts[0]),
        message: texts[1] ?? "",
        fields: deserialize(body) as LogMessage["fields"],
      };
    case "ping":
    case "pong":
    case "close":
    case "closed":
      return { type };
  }
}

function statusFrom(status: number): number {
  if (isAnswerStatus(status)) return status;
  throw servingError("INTERNAL", `a lane answered with the status ${status}`);
}

function levelFrom(text: string | undefined): LogMessage["level"] {
  switch (text) {
    case "debug":
    case "info":
    case "warn":
    case "error":
      return text;
    default:
      throw servingError("INTERNAL", "a lane logged on a level that no logger has");
  }
}

/** Texts of a call in front of its metadata. */
const CALL_TEXTS = 8;

function callFrom({ id, numbers, texts, body }: Frame): LaneMessage {
  const [door, handler, service = "", method = "", path = "", query = ""] = texts;
  const [peer = "", requestId = ""] = texts.slice(6, CALL_TEXTS);
  const [arrivedMs = 0, deadlineMs = 0, callerDeadlineMs = 0, takesPieces, single] = numbers;
  return {
    type: "call",
    id,
    head: {
      door: door as DoorName,
      handler: handler as Handler,
      service,
      method,
      path,
      query,
      peer,
      requestId,
      metadata: metadataFromTexts(texts, CALL_TEXTS),
      arrivedMs,
      deadlineMs,
      callerDeadlineMs,
      takesPieces: takesPieces === 1,
    },
    payload: single === 1 ? body : undefined,
  };
}
