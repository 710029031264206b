import type { CancelTimer, Clock } from "../../core/ports.js";
import { ServingError, servingError } from "../../core/serving-error.js";
import type { HttpHead, HttpQuestion } from "../../transport/http-connection.js";
import type { HttpLines, HttpLinesStream } from "../../transport/http-lines.js";
import { type EndpointSliceEvent, endpointSliceEventFromJson } from "../../wire/endpoint-slice.js";
import type { KubernetesTarget } from "../target/target-kind.js";
import { refusal, watchError } from "./kubernetes-api.js";

/** A slice of 1,000 endpoints, the most that there are, takes about 500 KB. */
export const MAX_ANSWER_BYTES: number = 8 * 1024 * 1024;

/** From opening the watch to the answer's status. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Bookmarks come about once a minute; a connection without two of them is half open, whoever else is answered. */
const SILENCE_MS = 120_000;

/** So long after the last line the API server is asked whether it is there at all, again and again while it is. */
const QUIET_MS = 30_000;

/** What a watch is opened with. */
export interface KubernetesWatchOptions {
  readonly question: HttpQuestion;
  readonly target: KubernetesTarget;
  readonly lines: HttpLines;
  readonly clock: Clock;
  /** Asks the API server for anything on another connection; rejects when it does not answer. */
  ask(): Promise<unknown>;
  /** The API server has taken the watch. */
  onConnect(): void;
  /** Anything but an error. */
  onEvent(event: Exclude<EndpointSliceEvent, { readonly kind: "error" }>): void;
  /** The watch is over; told once, unless it was closed. Undefined: the API server ended it as it does now and then. */
  onEnd(error: ServingError | undefined): void;
}

/** One watch on the slices of a service, on a connection of its own. */
export interface KubernetesWatch {
  close(): void;
}

/** Opens a watch; it ends by itself when the API server ends it, cannot be reached, talks nonsense, or falls silent. */
export function openKubernetesWatch(options: KubernetesWatchOptions): KubernetesWatch {
  return new OpenWatch(options);
}

class OpenWatch implements KubernetesWatch {
  readonly #options: KubernetesWatchOptions;
  readonly #stream: HttpLinesStream;
  /** Of an answer that is no watch: its first line says why. */
  #refused: HttpHead | undefined;
  #lines = 0;
  #cancelTimer: CancelTimer = () => {};
  #cancelAsking: CancelTimer = () => {};
  #over = false;

  constructor(options: KubernetesWatchOptions) {
    this.#options = options;
    this.#stream = options.lines({
      ...options.question,
      maxLineBytes: MAX_ANSWER_BYTES,
      listener: {
        onHead: (head) => this.#takeHead(head),
        onLine: (line) => this.#takeLine(line),
        onEnd: (error) => {
          if (this.#refused !== undefined) this.#refuse(this.#refused, "");
          else this.#end(error);
        },
      },
    });
    // Behind what may throw: a timer without a stream would have nothing to end.
    this.#expectWithin(CONNECT_TIMEOUT_MS, "did not answer");
  }

  close(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#cancelAsking();
    this.#stream.cancel();
  }

  #takeHead(head: HttpHead): void {
    if (head.status !== 200) {
      this.#refused = head;
      return;
    }
    this.#expectLine();
    this.#options.onConnect();
  }

  #takeLine(line: string): void {
    if (this.#over) return;
    if (this.#refused !== undefined) {
      this.#refuse(this.#refused, line);
      return;
    }
    this.#lines += 1;
    this.#expectLine();
    try {
      const event = endpointSliceEventFromJson(line, this.#options.target.name);
      if (event.kind === "error") this.#end(watchError(event.status));
      else this.#options.onEvent(event);
    } catch (thrown) {
      this.#end(ServingError.from(thrown));
    }
  }

  #refuse(head: HttpHead, text: string): void {
    const { question, target } = this.#options;
    this.#end(refusal(head, text, question, target));
  }

  #expectLine(): void {
    this.#expectWithin(SILENCE_MS, "sent nothing");
    this.#askLater();
  }

  #askLater(): void {
    const { clock } = this.#options;
    this.#cancelAsking();
    this.#cancelAsking = clock.after(QUIET_MS, () => void this.#askWhetherThere(), {
      background: true,
    });
  }

  async #askWhetherThere(): Promise<void> {
    const lines = this.#lines;
    let failure: ServingError | undefined;
    try {
      await this.#options.ask();
    } catch (thrown) {
      failure = ServingError.from(thrown);
    }
    if (this.#over || this.#lines !== lines) return;
    if (failure === undefined) this.#askLater();
    else {
      const quiet = `sent nothing for ${QUIET_MS} ms and does not answer either`;
      this.#end(servingError("DIRECTORY_FAILED", `${quiet}: ${failure.message}`));
    }
  }

  #expectWithin(ms: number, otherwise: string): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(
      ms,
      () => {
        if (this.#refused !== undefined) this.#refuse(this.#refused, "");
        else this.#end(servingError("DIRECTORY_FAILED", `${otherwise} for ${ms} ms`));
      },
      { background: true },
    );
  }

  #end(error: ServingError | undefined): void {
    if (this.#over) return;
    this.close();
    this.#options.onEnd(error);
  }
}
