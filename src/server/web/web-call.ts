import type { LoopTurns } from "../../core/loop-turns.js";
import { emptyMetadata, type MetadataView } from "../../core/metadata.js";
import type { CancelTimer, Clock } from "../../core/ports.js";
import { ServingError } from "../../core/serving-error.js";
import { callTimeOver } from "../../core/stop-errors.js";
import type { TimeLimit, TimeLimited } from "../../core/time-limit.js";
import type { HttpRequest, ReadBodyOptions } from "../http.js";
import type { RpcCall, RpcDoorName, RpcReader, RpcRoute, RpcStatus } from "../rpc.js";
import { rpcStatusOf } from "../rpc-errors.js";
import { AnswerPieces } from "./answer-pieces.js";
import type { JsonMessages, LoadJsonMessages } from "./json-messages.js";
import { metadataFromHeaders } from "./web-metadata.js";
import type { WebProtocol, WebStreamForm } from "./web-protocol.js";

/** What all calls of one port share. */
export interface WebCallOwner {
  readonly clock: Clock;
  readonly json: LoadJsonMessages;
  /** Run on each body as it was sent, before it is read. */
  readonly decode: ((body: Uint8Array, request: HttpRequest) => Promise<Uint8Array>) | undefined;
  /** Longest request in JSON, in bytes. */
  readonly maxJsonBytes: number;
  /** When longer requests in JSON are read. */
  readonly jsonTurns: LoopTurns;
  /** How long whoever takes nothing of an answer that is over is waited for. */
  readonly lastWords: TimeLimit;
}

/** Read in a few milliseconds, whatever is in it. */
const LONGEST_SMALL_JSON_BYTES = 16 * 1024;

/** One call of a method over HTTP/1.1, in the form that routes take: one message in, one or several out. */
export class WebCall implements RpcCall, TimeLimited {
  readonly door: RpcDoorName;
  readonly deadlineMs: number;
  readonly #request: HttpRequest;
  readonly #route: RpcRoute;
  readonly #protocol: WebProtocol;
  readonly #owner: WebCallOwner;
  #metadata: MetadataView | undefined;
  #reader: RpcReader | undefined;
  #json: JsonMessages | undefined;
  #cancelDeadline: CancelTimer | undefined;
  #asked = false;
  #headers: MetadataView = emptyMetadata;
  /** The answer of a unary call, until it is known how the call ends. */
  #answer: Uint8Array | undefined;
  /** The answers of a stream, once there is one. */
  #pieces: AnswerPieces | undefined;
  #over = false;

  /** @param timeoutMs - what the caller gives the call; Infinity for no limit */
  constructor(
    request: HttpRequest,
    route: RpcRoute,
    protocol: WebProtocol,
    timeoutMs: number,
    owner: WebCallOwner,
  ) {
    this.door = protocol.door;
    this.deadlineMs = request.arrivedMs + timeoutMs;
    this.#request = request;
    this.#route = route;
    this.#protocol = protocol;
    this.#owner = owner;
  }

  get path(): string {
    return this.#route.path;
  }

  get metadata(): MetadataView {
    this.#metadata ??= metadataFromHeaders(this.#request.headers);
    return this.#metadata;
  }

  get peer(): string {
    return this.#request.peer;
  }

  /** Hands the call to its route. */
  begin(): void {
    const { clock } = this.#owner;
    this.#request.onClose(() => this.#callerLeft());
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) {
      const leftMs = Math.max(0, this.deadlineMs - clock.now());
      this.#cancelDeadline = clock.after(leftMs, () => this.#late(), { background: true });
    }
    this.#reader = this.#route.accept(this);
  }

  read(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#receive().catch((thrown: unknown) => this.#fail(ServingError.from(thrown)));
  }

  async #receive(): Promise<void> {
    // Refused before its body is read, where it would be in vain.
    if (this.#protocol.json) this.#json = await this.#owner.json(this.path);
    if (this.#over) return;
    const body = await this.#request.readBody(this.#bodyOptions());
    if (this.#over) return;
    const message = this.#protocol.message(body);
    if (this.#json === undefined) this.#give(message);
    else await this.#convert(message, this.#json);
  }

  /** JSON costs far more to read than to send: it is read only for a call that would be let in, and others' work comes first. */
  async #convert(text: Uint8Array, json: JsonMessages): Promise<void> {
    if (text.byteLength > LONGEST_SMALL_JSON_BYTES) await this.#owner.jsonTurns.next();
    if (this.#over) return;
    const refusal = this.#reader?.refusal?.();
    if (refusal !== undefined) throw refusal;
    this.#give(json.requestFromJson(text));
  }

  #give(message: Uint8Array): void {
    this.#reader?.onMessage(message);
    this.#reader?.onHalfClose();
  }

  #bodyOptions(): ReadBodyOptions {
    const { decode, maxJsonBytes } = this.#owner;
    const limit = {
      maxBytes: Math.min(this.#route.maxJsonBytes ?? maxJsonBytes, maxJsonBytes),
      limited: "JSON",
    };
    return {
      ...(this.#json === undefined ? {} : limit),
      decode: decode && ((sent) => decode(sent, this.#request)),
    };
  }

  sendHeaders(headers: MetadataView): void {
    this.#headers = headers;
  }

  send(message: Uint8Array, flushed?: () => void): void {
    if (this.#over) return;
    try {
      this.#sendAs(this.#json?.responseToJson(message) ?? message, flushed);
    } catch (thrown) {
      this.#fail(ServingError.from(thrown));
    }
  }

  #sendAs(message: Uint8Array, flushed: (() => void) | undefined): void {
    const { stream } = this.#protocol;
    if (this.#route.responseStream && stream !== undefined) {
      this.#pieces ??= this.#beginStream(stream);
      this.#pieces.push(stream.piece(message), flushed);
    } else {
      this.#answer = message;
      flushed?.();
    }
  }

  #beginStream(form: WebStreamForm): AnswerPieces {
    const pieces = new AnswerPieces();
    this.#request
      .replyInPieces(form.head(this.#headers), pieces)
      // What the pieces are made of does not throw: a break of the connection is told by its close.
      .catch(() => {})
      .finally(() => this.#owner.lastWords.end(this));
    return pieces;
  }

  end(status: RpcStatus): void {
    this.#end(status, undefined);
  }

  #end(status: RpcStatus, why: ServingError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelDeadline?.();
    if (this.#pieces === undefined) {
      const message = this.#answer;
      this.#request.reply(this.#protocol.whole({ headers: this.#headers, message, status }));
    } else {
      if (this.#protocol.stream !== undefined) {
        this.#pieces.push(this.#protocol.stream.lastPiece(status));
      }
      this.#pieces.end();
      this.#owner.lastWords.begin(this);
    }
    this.#reader?.onClose(why);
  }

  /** Ends the call on this side, which its route has not done. */
  #fail(error: ServingError): void {
    this.#end(rpcStatusOf(error), error);
  }

  #late(): void {
    this.#fail(callTimeOver());
  }

  #callerLeft(): void {
    this.#owner.lastWords.end(this);
    this.#pieces?.drop();
    if (this.#over) return;
    this.#over = true;
    this.#cancelDeadline?.();
    this.#reader?.onClose();
  }

  /** The caller takes nothing more of an answer that is over: it learns that from the break of its connection. */
  outOfTime(): void {
    this.#request.breakOff();
  }
}
