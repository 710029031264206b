import { plainWithCause } from "../core/error-codec.js";
import { plainRecord } from "../core/plain-value.js";
import type { Clock, Logger } from "../core/ports.js";
import { ServingError } from "../core/serving-error.js";
import { hostStopping } from "../core/stop-errors.js";
import { type LoadedProcessor, loadProcessor } from "../processor/load-processor.js";
import { createRunner, type ProcessorRunner } from "../processor/runner.js";
import { ChildCall, type ChildCallPorts } from "./child-call.js";
import {
  decodeMessage,
  encodeMessage,
  type LaneMessage,
  type LogMessage,
  type StartOrder,
} from "./lane-message.js";
import type { Link } from "./link.js";
import { sharedTime } from "./shared-time.js";

/** What the lane's side of a link needs. */
export interface LaneChildPorts {
  readonly link: Link;
  readonly clock: Clock;
  /** Ends the process or thread. */
  exit(): void;
}

/** Serves a host over a link, until it says so or is gone. */
export function runLaneChild(ports: LaneChildPorts): void {
  new LaneChild(ports).open();
}

/** How long what the user's module has opened may keep a lane that has disposed of its processor. */
const LINGER_MS = 200;

const HOST_IN_LANE =
  "a host was started by the module that its own lane has loaded: put the processor into a module of its own, " +
  "export it there, and name that module in options.module";

class LaneChild implements ChildCallPorts {
  readonly clock: Clock;
  readonly time: ChildCallPorts["time"];
  readonly #link: Link;
  readonly #exit: () => void;
  readonly #logger: Logger;
  readonly #calls = new Map<number, ChildCall>();
  readonly #waiting: ChildCall[] = [];
  readonly #questions = new Map<number, AbortController>();
  readonly #properties = new Map<string, string>();
  readonly #initialising = new AbortController();
  #loaded: LoadedProcessor | undefined;
  #runner: ProcessorRunner | undefined;
  #starting: Promise<void> | undefined;
  #closing = false;
  #closed = false;
  /** Resolves when no call is left; set while somebody waits for it. */
  #idle: (() => void) | undefined;

  constructor({ link, clock, exit }: LaneChildPorts) {
    this.#link = link;
    this.clock = clock;
    this.time = sharedTime(clock);
    this.#exit = exit;
    const at = (level: LogMessage["level"]) => (fields: object, message: string) =>
      this.send({ type: "log", level, message, fields: plainRecord(fields) });
    this.#logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  }

  open(): void {
    this.#link.open({
      frame: (bytes) => this.#receive(decodeMessage(bytes)),
      // Without its host a lane has nothing to do, whatever is under way; but one that has said all may end in its own time.
      ended: () => {
        if (!this.#closed) this.#exit();
      },
    });
  }

  send(message: LaneMessage): void {
    const { head, body } = encodeMessage(message);
    this.#link.send(head, body);
  }

  over(id: number): void {
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#idle?.();
  }

  #receive(message: LaneMessage): void {
    switch (message.type) {
      case "call":
        this.#queue(new ChildCall(message, this));
        return;
      case "ask":
        void this.#answerReady(message.id);
        return;
      case "ping":
        this.send({ type: "pong" });
        return;
      case "tell":
        void this.#runner?.tell(message.bytes);
        return;
      case "properties":
        this.#setProperties(message.values);
        return;
      case "start":
        this.#starting = this.#start(message.order);
        return;
      case "close":
        void this.#close();
        return;
      default:
        if ("id" in message) this.#ofCall(message);
    }
  }

  #ofCall(message: LaneMessage & { readonly id: number }): void {
    const question = message.type === "stop" ? this.#questions.get(message.id) : undefined;
    if (question === undefined) this.#calls.get(message.id)?.receive(message);
    else {
      this.#questions.delete(message.id);
      question.abort();
    }
  }

  /**
   * A call begins only after everything that has arrived was looked at, and one at a time: its abort, or that of the next
   * one, may be among it.
   */
  #queue(call: ChildCall): void {
    this.#calls.set(call.id, call);
    this.#waiting.push(call);
    if (this.#waiting.length === 1) setImmediate(this.#runNext);
  }

  readonly #runNext = (): void => {
    const call = this.#waiting.shift();
    const runner = this.#runner;
    if (this.#waiting.length > 0) setImmediate(this.#runNext);
    if (call !== undefined && runner !== undefined) void call.run(runner);
  };

  async #start(order: StartOrder): Promise<void> {
    try {
      this.#setProperties(order.properties);
      this.#loaded = await loadProcessor(order.module, {
        clock: this.clock,
        hold: (on) => this.#link.hold(on),
        refusal: HOST_IN_LANE,
      });
      const { kind, index, count, service, modelPath, modelConfig, exposeErrors } = order;
      const runner = createRunner(this.#loaded.processor, {
        context: {
          lane: { kind, index, count },
          service,
          modelPath,
          modelConfig,
          properties: this.#properties,
          logger: this.#logger,
          signal: this.#initialising.signal,
        },
        clock: this.clock,
        logger: this.#logger,
        exposeErrors,
      });
      await runner.initialize();
      this.#runner = runner;
      this.send({ type: "ready", checksReady: runner.checksReady });
    } catch (thrown) {
      this.send({ type: "failed", error: plainWithCause(ServingError.from(thrown)) });
    }
  }

  #setProperties(values: ReadonlyMap<string, string>): void {
    this.#properties.clear();
    for (const [key, value] of values) this.#properties.set(key, value);
  }

  async #answerReady(id: number): Promise<void> {
    const question = new AbortController();
    this.#questions.set(id, question);
    const ready = (await this.#runner?.isReady(question.signal)) ?? false;
    // Nobody waits for the answer to a question that was taken back.
    if (this.#questions.delete(id)) this.send({ type: "says", id, ready });
  }

  async #close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#initialising.abort(hostStopping());
    await this.#starting;
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    try {
      await this.#runner?.dispose();
    } catch (err) {
      this.#logger.error({ err }, "dispose() threw");
    }
    this.send({ type: "closed" });
    this.#closed = true;
    this.#link.close();
    // The module may have something to do behind its run().
    this.#loaded?.closed();
    this.clock.after(LINGER_MS, this.#exit, { background: true });
  }
}
