import { type Backoff, createBackoff } from "../core/backoff.js";
import type { CancelTimer } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { type HttpGet, type HttpGetResponse, httpGet } from "../transport/http-get.js";
import { saysNoInstance, upstreamAnswerFromJson } from "../wire/upstream-json.js";
import { createSnapshotKeeper, type LearnedList, type SnapshotKeeper } from "./snapshot-keeper.js";
import type { Source, SourceListener } from "./source.js";
import { currentToken, type SourceOptions } from "./source-options.js";
import type { HttpTarget } from "./target-kind.js";

const TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const POLL_JITTER = 0.2;
const FIRST_RETRY_MS = 500;

/**
 * How many polls in a row must find an empty list before it is believed.
 *
 * EAS's help page wants the old list kept when a poll finds none, because the service that lists also answers so while
 * it merely does not know. Kept for ever, though, addresses that now belong to somebody else would go on being called.
 */
const EMPTY_ANSWERS_TO_BELIEVE = 3;

const noItems: LearnedList = { instances: [], rejected: 0 };

/** What the http source needs. */
export interface HttpSourceOptions extends SourceOptions {
  /** How a GET is done; over node:http unless a test says otherwise. */
  readonly get?: HttpGet;
}

/** Makes the source of an address that answers with EAS's discovery JSON: polled, with ETag, never redirected. */
export function createHttpSource(target: HttpTarget, options: HttpSourceOptions): Source {
  return new HttpSource(target, options);
}

class HttpSource implements Source {
  readonly name: string;
  readonly service: string;
  readonly #target: HttpTarget;
  readonly #options: HttpSourceOptions;
  readonly #backoff: Backoff;
  readonly #closing: AbortController = new AbortController();
  #keeper: SnapshotKeeper | undefined;
  #cancelTimer: CancelTimer = () => {};
  #etag: string | undefined;
  #emptyAnswers = 0;

  constructor(target: HttpTarget, options: HttpSourceOptions) {
    this.name = target.text;
    this.service = target.service;
    this.#target = target;
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
    this.#ask().then(
      (response) => this.#pollAgain(keeper, this.#take(keeper, response)),
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

  async #ask(): Promise<HttpGetResponse> {
    const { clock, directoryTls, get = httpGet } = this.#options;
    const { signal } = this.#closing;
    const token = await currentToken(this.#options, TIMEOUT_MS);
    signal.throwIfAborted();
    return get({
      url: this.#target.url,
      headers: {
        accept: "application/json",
        ...(token === undefined ? {} : { authorization: token }),
        ...(this.#etag === undefined ? {} : { "if-none-match": this.#etag }),
      },
      timeoutMs: TIMEOUT_MS,
      maxBodyBytes: MAX_BODY_BYTES,
      tls: directoryTls,
      clock,
      signal,
    });
  }

  /** Takes an answer; false when it was a failure. */
  #take(keeper: SnapshotKeeper, response: HttpGetResponse): boolean {
    const { status } = response;
    if (status === 304 && this.#etag !== undefined) {
      keeper.confirm();
      return true;
    }
    if (status === 404) {
      const { service } = this;
      keeper.fail(servingError("SERVICE_UNKNOWN", `${this.name} does not know ${service}: 404`));
      return true;
    }
    try {
      const text = new TextDecoder().decode(response.body);
      if (status === 503 && saysNoInstance(text)) {
        this.#takeList(keeper, noItems, undefined);
        return true;
      }
      if (status !== 200) throw servingError("DIRECTORY_FAILED", refusal(response));
      this.#takeList(keeper, upstreamAnswerFromJson(text), response.header("etag"));
      return true;
    } catch (thrown) {
      keeper.fail(this.#failure(thrown));
      return false;
    }
  }

  #takeList(keeper: SnapshotKeeper, list: LearnedList, etag: string | undefined): void {
    const hadSome = (keeper.instances?.length ?? 0) > 0;
    this.#emptyAnswers = list.instances.length > 0 ? 0 : this.#emptyAnswers + 1;
    if (hadSome && this.#emptyAnswers > 0 && this.#emptyAnswers < EMPTY_ANSWERS_TO_BELIEVE) {
      // Without a tag, so that the next poll brings the list anew and not "as before".
      this.#etag = undefined;
      const times = `${this.#emptyAnswers} of ${EMPTY_ANSWERS_TO_BELIEVE} times`;
      keeper.fail(
        servingError("NO_INSTANCE", `${this.name} lists nobody; believed when seen so ${times}`),
      );
      return;
    }
    this.#etag = etag;
    keeper.accept(list);
  }

  #failure(thrown: unknown): ServingError {
    const cause = ServingError.from(thrown);
    const reason = cause.entry.kind === "discovery" ? cause.reason : "DIRECTORY_FAILED";
    return servingError(reason, `${this.name}: ${cause.message}`, { cause });
  }
}

function refusal(response: HttpGetResponse): string {
  const { status } = response;
  if (status >= 300 && status < 400) {
    const to = response.header("location") ?? "nowhere";
    return `answered ${status}, a redirect to ${to.slice(0, 200)}, which is not followed`;
  }
  if (status === 401 || status === 403) return `answered ${status}; check directoryToken`;
  return `answered ${status}, expected 200`;
}
