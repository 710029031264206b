import { type Backoff, createBackoff } from "../core/backoff.js";
import type { CancelTimer } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { createRemovalGrace, type RemovalGrace } from "./removal-grace.js";
import { createSnapshotKeeper, type LearnedList, type SnapshotKeeper } from "./snapshot-keeper.js";
import type { Source, SourceListener } from "./source.js";
import { sourceFailure } from "./source-failure.js";
import type { SourceOptions } from "./source-options.js";

const POLL_JITTER = 0.2;

/** Of a wait that the answer asks for. */
const NEXT_JITTER = 0.1;
const FIRST_RETRY_MS = 500;

/**
 * How many polls in a row must find an empty list before it is believed.
 *
 * EAS's help page wants the old list kept when a poll finds none, because the service that lists also answers so while
 * it merely does not know. Kept for ever, though, addresses that now belong to somebody else would go on being called.
 */
const EMPTY_ANSWERS_TO_BELIEVE = 3;

/** A list that a poll found. */
export interface PolledList extends LearnedList {
  /** Milliseconds after which to ask again, drawn from 90 % to 110 %; the poll interval where the answer does not say. */
  readonly nextMs?: number | undefined;
  /** Why not all of it could be learned anew: it counts as stale. */
  readonly doubt?: ServingError | undefined;
  /** Of a directory that says so: whether who is missing is gone. One that is not settled only adds, for some time. */
  readonly settled?: boolean | undefined;
}

/** What a poll found: a list, that it is what it was, or that nobody knows the service. */
export type PollAnswer = PolledList | "unchanged" | "unknown";

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
  #grace: RemovalGrace | undefined;
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
    this.#grace = createRemovalGrace(keeper, clock);
    this.#poll(keeper);
  }

  async close(): Promise<void> {
    this.#keeper?.close();
    this.#cancelTimer();
    this.#closing.abort();
  }

  #poll(keeper: SnapshotKeeper): void {
    const startedMs = this.#options.clock.now();
    // The wait that a failure asks for grows; an answer, even one without a list, is no failure.
    this.#parts.ask(this.#closing.signal).then(
      (answer) => {
        this.#take(keeper, answer);
        this.#backoff.reset();
        this.#pollAgain(keeper, this.#waitMs(answer, startedMs));
      },
      (error: unknown) => {
        this.#grace?.arm();
        keeper.fail(sourceFailure(this.name, error));
        this.#pollAgain(keeper, this.#backoff.next());
      },
    );
  }

  /** Counted from poll to poll, but after one that took long there is a pause nevertheless. */
  #waitMs(answer: PollAnswer, startedMs: number): number {
    const { clock, pollIntervalMs, random } = this.#options;
    const nextMs = typeof answer === "string" ? undefined : answer.nextMs;
    const jitter = nextMs === undefined ? POLL_JITTER : NEXT_JITTER;
    const waitMs = (nextMs ?? pollIntervalMs) * (1 - jitter + 2 * jitter * random());
    return Math.max(waitMs / 2, waitMs - (clock.now() - startedMs));
  }

  #pollAgain(keeper: SnapshotKeeper, waitMs: number): void {
    if (this.#closing.signal.aborted) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.after(waitMs, () => this.#poll(keeper), { background: true });
  }

  #take(keeper: SnapshotKeeper, answer: PollAnswer): void {
    if (answer === "unchanged") {
      this.#grace?.confirm();
      return;
    }
    if (answer === "unknown") {
      this.#grace?.arm();
      const { name, service } = this;
      keeper.fail(servingError("SERVICE_UNKNOWN", `${name} does not know ${service}: 404`));
      return;
    }
    const { doubt, settled } = answer;
    const stale = doubt !== undefined;
    if (settled !== false && this.#disbelieves(keeper, answer)) return;
    if (settled === undefined) keeper.accept(answer, { doubted: stale });
    else this.#grace?.take({ ...answer, settled, stale });
    if (stale) keeper.fail(sourceFailure(this.name, doubt));
  }

  /** Whether a list is an empty one that has not been seen often enough. */
  #disbelieves(keeper: SnapshotKeeper, { instances }: PolledList): boolean {
    const hadSome = (keeper.instances?.length ?? 0) > 0;
    this.#emptyAnswers = instances.length > 0 ? 0 : this.#emptyAnswers + 1;
    if (!hadSome || this.#emptyAnswers === 0 || this.#emptyAnswers >= EMPTY_ANSWERS_TO_BELIEVE) {
      return false;
    }
    const times = `${this.#emptyAnswers} of ${EMPTY_ANSWERS_TO_BELIEVE} times`;
    keeper.fail(
      servingError("NO_INSTANCE", `${this.name} lists nobody; believed when seen so ${times}`),
    );
    return true;
  }
}
