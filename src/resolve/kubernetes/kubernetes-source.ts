import { type Backoff, createBackoff } from "../../core/backoff.js";
import type { CancelTimer } from "../../core/ports.js";
import { retryAfterMs } from "../../core/retry-after.js";
import { ServingError, servingError } from "../../core/serving-error.js";
import { type HttpGet, httpGet } from "../../transport/http-get.js";
import { type HttpLines, httpLines } from "../../transport/http-lines.js";
import { createJoinedChanges, type JoinedChanges } from "../joined-changes.js";
import { createSnapshotKeeper, type SnapshotKeeper } from "../snapshot-keeper.js";
import type { Source, SourceListener } from "../source.js";
import { sourceFailure } from "../source-failure.js";
import type { SourceOptions } from "../source-options.js";
import type { KubernetesTarget } from "../target/target-kind.js";
import {
  type ClusterPlace,
  checkKubernetesToken,
  type KubernetesAccess,
  kubernetesAccess,
} from "./kubernetes-access.js";
import { isExpired, mayResume, refusal, sliceQuestion } from "./kubernetes-api.js";
import { listSlices } from "./kubernetes-list.js";
import {
  type KubernetesWatch,
  type KubernetesWatchOptions,
  MAX_ANSWER_BYTES,
  openKubernetesWatch,
} from "./kubernetes-watch.js";
import { SliceCache } from "./slice-cache.js";

/** For each page of a list. */
const PAGE_TIMEOUT_MS = 10_000;

/** For the question whether the API server is there. */
const ALIVE_TIMEOUT_MS = 5_000;

const FIRST_RETRY_MS = 800;
const LONGEST_RETRY_MS = 30_000;

/** How long the API server is asked to keep a watch: drawn anew for each, lest all clients come back at once. */
const WATCH_SECONDS = { least: 290, most: 600 };

/** A watch that has lasted so long was a success, and its end is followed by the next one at once. */
const STABLE_MS = 10_000;

/**
 * A watch that is taken says something soon if anything was missed, or if its version is too old: API servers take it first, and
 * refuse it inside.
 */
const CONFIRM_AFTER_MS = 50;

/** A watch that is not back after so long leaves the list unwatched: it counts as stale. */
const GAP_MS = 1_000;

/** What the Kubernetes source needs. */
export interface KubernetesSourceOptions extends SourceOptions {
  /** How a list is asked for; over node:http unless a test says otherwise. */
  readonly get?: HttpGet;
  /** How a watch is opened; over node:http unless a test says otherwise. */
  readonly lines?: HttpLines;
  /** Where a pod finds its cluster; Kubernetes's own unless a test says otherwise. */
  readonly place?: ClusterPlace;
}

/**
 * Makes the source of a service of Kubernetes: a list of its EndpointSlices, then a watch that goes on from it.
 *
 * ```
 *   listing --> watching -- ended as agreed --------------> watching, from the last version
 *      ^  ^        |----- the version is too old (410) ---> listing
 *      |  |        '----- lost, silent, refused, nonsense -> waiting (jittered) -> watching; listing where only that helps
 *      |  '-- refused, not reached --> waiting
 * ```
 *
 * What may happen at once happens so once in 10 s, and waits like a failure otherwise: an API server that ends every watch is
 * not asked without a pause.
 *
 * @throws ConfigError `INVALID_OPTION` for a token that would leave this machine without TLS.
 */
export function createKubernetesSource(
  target: KubernetesTarget,
  options: KubernetesSourceOptions,
): Source {
  checkKubernetesToken(target, options);
  return new KubernetesSource(target, options);
}

class KubernetesSource implements Source {
  readonly name: string;
  readonly service: string;
  readonly #target: KubernetesTarget;
  readonly #options: KubernetesSourceOptions;
  readonly #backoff: Backoff;
  readonly #cache: SliceCache;
  readonly #closing: AbortController = new AbortController();
  #keeper: SnapshotKeeper | undefined;
  #changes: JoinedChanges | undefined;
  #watch: KubernetesWatch | undefined;
  /** Where the next watch goes on from; undefined: a list comes first. */
  #version: string | undefined;
  #connectedAtMs: number | undefined;
  /** The last watch was not taken, and until one is a list is only as good as the moment in which it was made. */
  #unwatched = false;
  #hurriedAtMs: number = Number.NEGATIVE_INFINITY;
  /** That there is no slice has been said since there was one. */
  #toldNone = false;
  /** Why the slices make no list, as it was told. */
  #portProblem: string | undefined;
  #cancelStep: CancelTimer = () => {};
  #cancelGap: CancelTimer = () => {};
  #cancelConfirm: CancelTimer = () => {};

  constructor(target: KubernetesTarget, options: KubernetesSourceOptions) {
    this.name = target.text;
    this.service = target.service;
    this.#target = target;
    this.#options = options;
    this.#cache = new SliceCache(target.port);
    this.#backoff = createBackoff(
      { initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS },
      options.random,
    );
  }

  start(listener: SourceListener): void {
    const { name, service } = this;
    const { clock, logger } = this.#options;
    const keeper = createSnapshotKeeper({ source: name, service, clock, logger, listener });
    this.#keeper = keeper;
    this.#changes = createJoinedChanges(clock, () => this.#tell(keeper));
    this.#step(keeper);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#keeper?.close();
    this.#changes?.close();
    this.#cancelStep();
    this.#cancelGap();
    this.#cancelConfirm();
    this.#watch?.close();
  }

  #step(keeper: SnapshotKeeper): void {
    this.#listAndWatch(keeper).catch((thrown: unknown) => {
      this.#failed(keeper, ServingError.from(thrown));
    });
  }

  async #listAndWatch(keeper: SnapshotKeeper): Promise<void> {
    const { signal } = this.#closing;
    this.#connectedAtMs = undefined;
    const access = await kubernetesAccess(this.#target, this.#options, this.#options.place);
    signal.throwIfAborted();
    if (this.#version === undefined) {
      const ask = (query: Readonly<Record<string, string>>) => this.#page(access, query);
      const { version, ...listed } = await listSlices(ask, this.#target.name);
      signal.throwIfAborted();
      this.#cache.replace(listed);
      this.#version = version;
      this.#portProblem = undefined;
      this.#tell(keeper);
    }
    // The listener may have closed the source on hearing of the list.
    if (!signal.aborted) this.#openWatch(keeper, access, this.#version);
  }

  async #page(access: KubernetesAccess, query: Readonly<Record<string, string>>): Promise<string> {
    const { clock, get = httpGet } = this.#options;
    const question = sliceQuestion(access, this.#target, query);
    const limits = { timeoutMs: PAGE_TIMEOUT_MS, maxBodyBytes: MAX_ANSWER_BYTES };
    const answer = await get({ ...question, ...limits, clock, signal: this.#closing.signal });
    const text = new TextDecoder().decode(answer.body);
    if (answer.status !== 200) throw refusal(answer, text, question, this.#target);
    return text;
  }

  /** The cheapest question that there is, which needs no right and no list; any status is an answer. */
  #askForVersion({ origin, headers, tls }: KubernetesAccess): Promise<unknown> {
    const { clock, get = httpGet } = this.#options;
    const limits = { timeoutMs: ALIVE_TIMEOUT_MS, maxBodyBytes: MAX_ANSWER_BYTES };
    const { signal } = this.#closing;
    return get({ url: `${origin}/version`, headers, tls, ...limits, clock, signal });
  }

  #openWatch(keeper: SnapshotKeeper, access: KubernetesAccess, version: string): void {
    const { clock, random, lines = httpLines } = this.#options;
    const { least, most } = WATCH_SECONDS;
    const query = {
      watch: "1",
      resourceVersion: version,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(Math.floor(least + random() * (most - least + 1))),
    };
    this.#watch = openKubernetesWatch({
      question: sliceQuestion(access, this.#target, query),
      target: this.#target,
      lines,
      clock,
      ask: () => this.#askForVersion(access),
      onConnect: () => {
        this.#connectedAtMs = clock.now();
        this.#unwatched = false;
        this.#cancelGap();
        const confirm = (): void => this.#confirm(keeper);
        this.#cancelConfirm = clock.after(CONFIRM_AFTER_MS, confirm, { background: true });
      },
      onEvent: (event) => this.#take(keeper, event),
      onEnd: (error) => this.#watchEnded(keeper, error),
    });
  }

  #take(keeper: SnapshotKeeper, event: Parameters<KubernetesWatchOptions["onEvent"]>[0]): void {
    this.#version = event.version ?? this.#version;
    switch (event.kind) {
      case "bookmark":
        this.#confirm(keeper);
        return;
      case "put":
        this.#cache.put(event.slice);
        break;
      case "gone":
        this.#cache.remove(event.name);
        break;
      case "rejected":
        this.#cache.reject(event.problem);
        break;
    }
    this.#changes?.note({ patiently: this.#cache.drastic });
  }

  /** What is about to be told says more than that all is as it was. */
  #confirm(keeper: SnapshotKeeper): void {
    if (this.#portProblem === undefined && this.#changes?.pending !== true) keeper.confirm();
  }

  #tell(keeper: SnapshotKeeper): void {
    const news = this.#cache.take();
    if (news.kind === "no-port") {
      const { problem } = news;
      if (problem === this.#portProblem) return;
      this.#portProblem = problem;
      keeper.fail(servingError("DIRECTORY_FAILED", `${this.name}: ${problem}`));
      return;
    }
    this.#portProblem = undefined;
    this.#sayWhetherNone();
    const doubted = this.#unwatched;
    if (news.kind === "list") keeper.accept(news.list, { doubted });
    else keeper.change(news.change, { doubted });
  }

  /** An empty list alone does not tell a wrong name from a service that is down, and Kubernetes does not either. */
  #sayWhetherNone(): void {
    const none = this.#cache.isEmpty;
    if (none && !this.#toldNone) {
      const { name, namespace, text: source } = this.#target;
      const message = `no slice of service ${name} in namespace ${namespace}: check both names`;
      this.#options.logger.info({ source, service: this.service }, message);
    }
    this.#toldNone = none;
  }

  #watchEnded(keeper: SnapshotKeeper, error: ServingError | undefined): void {
    const { clock } = this.#options;
    this.#cancelConfirm();
    const since = this.#connectedAtMs;
    const lastedMs = since === undefined ? 0 : clock.now() - since;
    if (lastedMs >= STABLE_MS) this.#backoff.reset();
    const expired = error !== undefined && isExpired(error);
    this.#unwatched = error !== undefined && !expired && since === undefined;
    if (error !== undefined && !mayResume(error)) this.#version = undefined;
    if ((error === undefined || expired) && clock.now() - this.#hurriedAtMs >= STABLE_MS) {
      this.#hurriedAtMs = clock.now();
      this.#cancelGap = clock.after(GAP_MS, () => keeper.doubt(), { background: true });
      this.#step(keeper);
      return;
    }
    const ended = `ended the watch after ${lastedMs.toFixed(0)} ms, expected some minutes`;
    this.#failed(keeper, error ?? servingError("DIRECTORY_FAILED", ended));
  }

  #failed(keeper: SnapshotKeeper, cause: ServingError): void {
    if (this.#closing.signal.aborted) return;
    const { clock, random } = this.#options;
    this.#cancelGap();
    // What has been learned is told before the list becomes a stale one.
    this.#changes?.flush();
    keeper.fail(sourceFailure(this.name, cause));
    const askedMs = (retryAfterMs(cause) ?? 0) * (1 + random() / 5);
    const waitMs = Math.max(askedMs, this.#backoff.next());
    this.#cancelStep = clock.after(waitMs, () => this.#step(keeper), { background: true });
  }
}
