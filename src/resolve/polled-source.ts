import { type Backoff, createBackoff } from "../core/backoff.js";
import type { CancelTimer } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { createSnapshotKeeper, type LearnedList, type SnapshotKeeper } from "./snapshot-keeper.js";
import type { Source, SourceListener } from "./source.js";
import type { SourceOptions } from "./source-options.js";

const POLL_JITTER = 0.2;
const FIRST_RETRY_MS = 500;

/**
 * How many polls in a row must find an empty list before it is believed.
 *
 * EAS's help page wants the old list kept when a poll finds none, because the service that lists also answers so while
 * it merely does not know. Kept for ever, though, addresses that now belong to somebody else would go on being called.
 */
const EMPTY_ANSWERS_TO_BELIEVE = 3;

/** What a poll found: a list, that it is what it was, or that nobody knows the service. */
export type PollAnswer = LearnedList | "unchanged" | "unknown";

/** What a polled source is made of. */
export interface PolledSourceParts {
  readonly name: string;
  readonly service: string;
  /**
   * Asks once, within a time limit of its own. It answers "unchanged" only if the last list was not empty.
   *
   * @throws whatever went wrong.
   */
  ask(signal: AbortSignal): Promise<PollAnswer>;
}

/** Makes the source of something that has to be asked again and again. */
export function createPolledSource(parts: PolledSourceParts, options: SourceOptions): Source {
  return new PolledSource(parts, options);
}

class PolledSource implements Source {
  readonly name: string;
  readonly service: string;
  readonly #parts: PolledSourceParts;
  readonly #options: SourceOptions;
  readonly #backoff: Backoff;
  readonly #closing: AbortController = new AbortController();
  #keeper: SnapshotKeeper | undefined;
  #cancelTimer: CancelTimer = () => {};
  #emptyAnswers = 0;

  constructor(parts: PolledSourceParts, options: SourceOptions) {
    this.name = parts.name;
    this.service = parts.service;
    this.#parts = parts;
    this.#options = options;
    const { pollIntervalMs, random } = options;
    this.#backoff = createBackoff(
      { initialMs: Math.min(FIRST_RETRY_MS, pollIntervalMs), maxMs: 2 * pollIntervalMs },
      random,
    );
  }

  start(listener: SourceListener): void {
    const { name, service } = this;
    const { clock, logger } = this.#options;
    const keeper = createSnapshotKeeper({ source: name, service, clock, logger, listener });
    this.#keeper = keeper;
    this.#poll(keeper);
  }

  async close(): Promise<void> {
    this.#keeper?.close();
    this.#cancelTimer();
    this.#closing.abort();
  }

  #poll(keeper: SnapshotKeeper): void {
    // The wait that a failure asks for grows; an answer, even one without a list, is no failure.
    this.#parts.ask(this.#closing.signal).then(
      (answer) => {
        this.#take(keeper, answer);
        this.#pollAgain(keeper, true);
      },
      (error: unknown) => {
        keeper.fail(this.#failure(error));
        this.#pollAgain(keeper, false);
      },
    );
  }

  #pollAgain(keeper: SnapshotKeeper, answered: boolean): void {
    if (this.#closing.signal.aborted) return;
    const { clock, pollIntervalMs, random } = this.#options;
    if (answered) this.#backoff.reset();
    const waitMs = answered
      ? pollIntervalMs * (1 - POLL_JITTER + 2 * POLL_JITTER * random())
      : this.#backoff.next();
    this.#cancelTimer = clock.after(waitMs, () => this.#poll(keeper), { background: true });
  }

  #take(keeper: SnapshotKeeper, answer: PollAnswer): void {
    if (answer === "unchanged") {
      keeper.confirm();
      return;
    }
    if (answer === "unknown") {
      const { name, service } = this;
      keeper.fail(servingError("SERVICE_UNKNOWN", `${name} does not know ${service}: 404`));
      return;
    }
    const hadSome = (keeper.instances?.length ?? 0) > 0;
    this.#emptyAnswers = answer.instances.length > 0 ? 0 : this.#emptyAnswers + 1;
    if (hadSome && this.#emptyAnswers > 0 && this.#emptyAnswers < EMPTY_ANSWERS_TO_BELIEVE) {
      const times = `${this.#emptyAnswers} of ${EMPTY_ANSWERS_TO_BELIEVE} times`;
      keeper.fail(
        servingError("NO_INSTANCE", `${this.name} lists nobody; believed when seen so ${times}`),
      );
      return;
    }
    keeper.accept(answer);
  }

  #failure(thrown: unknown): ServingError {
    const cause = ServingError.from(thrown);
    const reason = cause.entry.kind === "discovery" ? cause.reason : "DIRECTORY_FAILED";
    return servingError(reason, `${this.name}: ${cause.message}`, { cause });
  }
}
