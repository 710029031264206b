import { errorFromPlain } from "../core/error-codec.js";
import type { Invocation, Outcome } from "../core/invocation.js";
import { recordFromPlain } from "../core/plain-value.js";
import type { CancelTimer, Clock, Logger } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { endedByStop, hostStopping } from "../core/stop-errors.js";
import type { LaneKind } from "../processor/processor.js";
import type { Lane } from "./lane.js";
import {
  decodeMessage,
  encodeMessage,
  type LaneMessage,
  type LogMessage,
  type StartOrder,
} from "./lane-message.js";
import type { Link } from "./link.js";
import { RemoteCall, type RemoteCallPorts } from "./remote-call.js";
import { sharedTime } from "./shared-time.js";

/** How a lane's process or thread ended. */
export interface LaneExit {
  /** What follows "the lane": `ended with exit code 3`. */
  readonly text: string;
  /** For the log. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What it threw, if that is known. */
  readonly cause?: unknown;
}

/** The process or thread that a lane runs in. */
export interface LaneBody {
  readonly kind: LaneKind;
  readonly pid: number | undefined;
  readonly link: Link;
  /** Resolves when it is gone. */
  readonly exited: Promise<LaneExit>;
  /** Ends it at once. */
  kill(): void;
}

/** What a remote lane needs besides its body. */
export interface RemoteLaneOptions {
  readonly order: StartOrder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes a lane of a process or thread on the other side of a link. */
export function createRemoteLane(body: LaneBody, options: RemoteLaneOptions): Lane {
  return new RemoteLane(body, options);
}

/** A lane's link and its process end within so long of each other; the one that is first waits for the other. */
const PARTING_MS = 50;

/** How long a lane that is closed while it initialises may take to mind its signal. */
const STARTING_GRACE_MS = 1_000;

/** How long a lane that has disposed of its processor may take to be gone, whatever grace is left. */
const LEAVING_MS = 1_000;

class RemoteLane implements Lane, RemoteCallPorts {
  readonly kind: LaneKind;
  readonly index: number;
  readonly pid: number | undefined;
  readonly died: Promise<ServingError>;
  readonly time: RemoteCallPorts["time"];
  readonly #body: LaneBody;
  readonly #order: StartOrder;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #calls = new Map<number, RemoteCall>();
  readonly #questions = new Map<number, (ready: boolean) => void>();
  readonly #gone: Promise<void>;
  #markGone: () => void = () => {};
  #markDied: (reason: ServingError) => void = () => {};
  /** It has initialised. */
  #ready = false;
  #started: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #properties: ReadonlyMap<string, string>;
  #lastId = 0;
  #askedMs: number | undefined;
  /** Why calls are refused; undefined while the lane lives. */
  #ended: ServingError | undefined;
  /** Why the lane was killed, if it was. */
  #killed: ServingError | undefined;
  #exit: LaneExit | undefined;
  #linkOpen = true;
  #parting: CancelTimer | undefined;
  #closing: Promise<void> | undefined;
  checksReady = false;

  constructor(body: LaneBody, { order, clock, logger }: RemoteLaneOptions) {
    this.kind = body.kind;
    this.index = order.index;
    this.pid = body.pid;
    this.time = sharedTime(clock);
    this.#body = body;
    this.#order = order;
    this.#properties = order.properties;
    this.#clock = clock;
    this.#logger = logger;
    this.died = new Promise((resolve) => {
      this.#markDied = resolve;
    });
    this.#gone = new Promise((resolve) => {
      this.#markGone = resolve;
    });
    void body.exited.then((exit) => {
      this.#exit = exit;
      this.#part();
    });
    body.link.open({
      frame: (bytes) => this.#frame(bytes),
      ended: () => {
        this.#linkOpen = false;
        this.#part();
      },
    });
  }

  get silentMs(): number {
    return this.#askedMs === undefined ? 0 : this.#clock.now() - this.#askedMs;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.send({ type: "start", order: { ...this.#order, properties: this.#properties } });
    });
  }

  run(invocation: Invocation): Promise<Outcome> {
    const refusal = invocation.abort.reason ?? this.#ended;
    if (refusal !== undefined) return Promise.reject(refusal);
    const id = this.#nextId();
    const call = new RemoteCall(id, invocation, this);
    this.#calls.set(id, call);
    call.begin();
    return call.outcome;
  }

  isReady(signal: AbortSignal): Promise<boolean> {
    if (this.#ended !== undefined) return Promise.resolve(false);
    const id = this.#nextId();
    return new Promise((resolve) => {
      const tooLate = (): void => {
        this.#questions.delete(id);
        this.send({ type: "stop", id });
        resolve(false);
      };
      signal.addEventListener("abort", tooLate, { once: true });
      this.#questions.set(id, (ready) => {
        signal.removeEventListener("abort", tooLate);
        resolve(ready);
      });
      this.send({ type: "ask", id });
    });
  }

  tell(message: Uint8Array): void {
    this.send({ type: "tell", bytes: message });
  }

  setProperties(values: ReadonlyMap<string, string>): void {
    this.#properties = new Map(values);
    if (this.#started !== undefined) this.send({ type: "properties", values: this.#properties });
  }

  ask(): void {
    if (this.#askedMs !== undefined || this.#ended !== undefined) return;
    this.#askedMs = this.#clock.now();
    this.send({ type: "ping" });
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  kill(reason: ServingError): void {
    this.#killed ??= reason;
    this.#endAll(reason);
    this.#body.kill();
  }

  send(message: LaneMessage): void {
    const { head, body } = encodeMessage(message);
    this.#body.link.send(head, body);
  }

  over(id: number): void {
    this.#calls.delete(id);
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#calls.has(this.#lastId));
    return this.#lastId;
  }

  async #close(graceMs: number): Promise<void> {
    this.#started?.reject(hostStopping());
    this.send({ type: "close" });
    // An initialize() that ignores its signal must not keep a host that was told to stop.
    const waitMs = this.#ready ? graceMs : Math.min(graceMs, STARTING_GRACE_MS);
    const stopWaiting = this.#clock.after(waitMs, () => {
      this.#endAll(endedByStop());
      this.#body.kill();
    });
    await this.#gone;
    stopWaiting();
  }

  #frame(bytes: Buffer): void {
    this.#askedMs = undefined;
    try {
      const message = decodeMessage(bytes);
      if ("id" in message) this.#ofCall(message);
      else this.#ofLane(message);
    } catch (err) {
      // Also what only shows when the message is used: a thread's frames would end the host itself.
      this.#logger.error({ err, lane: this.index }, "a lane broke the protocol");
      this.#body.kill();
    }
  }

  #ofCall(message: LaneMessage & { readonly id: number }): void {
    if (message.type === "says") {
      this.#questions.get(message.id)?.(message.ready);
      this.#questions.delete(message.id);
    } else {
      this.#calls.get(message.id)?.receive(message);
    }
  }

  #ofLane(message: LaneMessage): void {
    switch (message.type) {
      case "ready":
        this.checksReady = message.checksReady;
        this.#ready = true;
        this.#started?.resolve();
        return;
      case "failed":
        this.#started?.reject(errorFromPlain(message.error));
        return;
      case "log":
        this.#log(message);
        return;
      case "closed":
        this.#clock.after(LEAVING_MS, () => this.#body.kill(), { background: true });
        return;
      default:
    }
  }

  #log({ level, fields, message }: LogMessage): void {
    this.#logger[level]({ lane: this.index, ...recordFromPlain(fields) }, message);
  }

  /** The link or the process has ended: waits shortly for the other one, so that nothing that was sent is lost. */
  #part(): void {
    if (this.#exit !== undefined && !this.#linkOpen) {
      this.#parting?.();
      this.#depart();
      return;
    }
    // A process without its link is of no use; one that leaves in order has closed it itself.
    if (!this.#linkOpen && this.#closing === undefined) this.#body.kill();
    this.#parting ??= this.#clock.after(PARTING_MS, () => this.#partedInTime());
  }

  #partedInTime(): void {
    if (this.#exit === undefined) {
      if (this.#closing === undefined) this.#endAll(this.#death());
    } else {
      this.#body.link.close();
      this.#depart();
    }
  }

  #depart(): void {
    // Calls that could not wait have ended without the cause; the log has it.
    const reason = this.#killed ?? this.#death();
    this.#endAll(reason);
    if (this.#closing === undefined) this.#markDied(reason);
    this.#markGone();
  }

  #death(): ServingError {
    const { kind, index, pid: lanePid } = this;
    const place = { lane: index, kind, ...(lanePid === undefined ? {} : { lanePid }) };
    if (this.#exit === undefined) {
      return servingError("LANE_DIED", "the lane let go of its host", { details: place });
    }
    const { text, details, cause } = this.#exit;
    return servingError("LANE_DIED", `the lane ${text}`, {
      details: { ...place, ...details },
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #endAll(reason: ServingError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#askedMs = undefined;
    this.#started?.reject(reason);
    for (const call of [...this.#calls.values()]) call.fail(reason);
    for (const answer of this.#questions.values()) answer(false);
    this.#questions.clear();
  }
}
