import { ServingError, servingError } from "../core/serving-error.js";
import { redirectText } from "../transport/http-connection.js";
import { type HttpGet, type HttpGetResponse, httpGet } from "../transport/http-get.js";
import { listWarningsFrom, saysNoInstance, upstreamAnswerFromJson } from "../wire/upstream-json.js";
import { createPolledSource, type PollAnswer } from "./polled-source.js";
import type { LearnedList } from "./snapshot-keeper.js";
import type { Source } from "./source.js";
import { currentToken, type SourceOptions } from "./source-options.js";
import type { HttpTarget } from "./target/target-kind.js";

const TIMEOUT_MS = 5_000;

/** A directory that does not answer must leave time for the next one before callers give up. */
const SHORTEST_TIMEOUT_MS = 1_000;

const MAX_BODY_BYTES = 4 * 1024 * 1024;

const noItems: LearnedList = { instances: [], rejected: 0 };

/** What the http source needs. */
export interface HttpSourceOptions extends SourceOptions {
  /** How a GET is done; over node:http unless a test says otherwise. */
  readonly get?: HttpGet;
}

/** Makes the source of addresses that answer with EAS's discovery JSON: polled, with ETag, never redirected. */
export function createHttpSource(target: HttpTarget, options: HttpSourceOptions): Source {
  const listing = new HttpListing(target, options);
  const { text: name, service } = target;
  return createPolledSource({ name, service, ask: (signal) => listing.ask(signal) }, options);
}

/**
 * Asks for a list: first the directory that answered last, at the address where it did, then the others.
 *
 * A directory that fails passes the question on to the next; one that answers 404 has another address to be asked at first.
 */
class HttpListing {
  readonly #target: HttpTarget;
  readonly #options: HttpSourceOptions;
  readonly #timeoutMs: number;
  #directory: number;
  /** Which of its addresses a directory has answered at, by the directory's place. */
  readonly #address: number[];
  #tag: { readonly url: string; readonly etag: string } | undefined;

  constructor(target: HttpTarget, options: HttpSourceOptions) {
    this.#target = target;
    this.#options = options;
    const { length } = target.directories;
    this.#timeoutMs = Math.max(SHORTEST_TIMEOUT_MS, TIMEOUT_MS / length);
    // Not all clients on the first directory.
    this.#directory = length > 1 ? Math.floor(options.random() * length) : 0;
    this.#address = target.directories.map(() => 0);
  }

  async ask(signal: AbortSignal): Promise<PollAnswer> {
    const { directories } = this.#target;
    let failure: unknown;
    for (let turn = 0; turn < directories.length; turn++) {
      const place = (this.#directory + turn) % directories.length;
      try {
        const answer = await this.#askDirectory(place, signal);
        if (answer === "unknown") continue;
        this.#directory = place;
        return answer;
      } catch (thrown) {
        failure ??= thrown;
      }
    }
    // One that does not know the service proves nothing as long as another could not be asked.
    if (failure !== undefined) throw failure;
    return "unknown";
  }

  async #askDirectory(place: number, signal: AbortSignal): Promise<PollAnswer> {
    const urls = this.#target.directories[place] ?? [];
    const first = this.#address[place] ?? 0;
    for (let turn = 0; turn < urls.length; turn++) {
      const address = (first + turn) % urls.length;
      const answer = await this.#askAt(urls[address] ?? "", signal);
      if (answer === "unknown") continue;
      this.#address[place] = address;
      return answer;
    }
    return "unknown";
  }

  async #askAt(url: string, signal: AbortSignal): Promise<PollAnswer> {
    try {
      return this.#answerFrom(url, await this.#get(url, signal));
    } catch (thrown) {
      if (this.#target.directories.length === 1) throw thrown;
      const cause = ServingError.from(thrown);
      throw servingError(cause.reason, `${new URL(url).host}: ${cause.message}`, { cause });
    }
  }

  async #get(url: string, signal: AbortSignal): Promise<HttpGetResponse> {
    const { clock, directoryTls, get = httpGet } = this.#options;
    const timeoutMs = this.#timeoutMs;
    const token = await currentToken(this.#options, timeoutMs);
    signal.throwIfAborted();
    const tag = this.#tag;
    return get({
      url,
      headers: {
        accept: "application/json",
        ...(token === undefined ? {} : { authorization: token }),
        ...(tag?.url === url ? { "if-none-match": tag.etag } : {}),
      },
      timeoutMs,
      maxBodyBytes: MAX_BODY_BYTES,
      tls: directoryTls,
      clock,
      signal,
    });
  }

  #answerFrom(url: string, response: HttpGetResponse): PollAnswer {
    const { status } = response;
    const { doubt, settled } = vouchedIn(response);
    if (status === 304 && this.#tag?.url === url) {
      if (doubt !== undefined) throw doubt;
      return "unchanged";
    }
    if (status === 404) return "unknown";
    const text = new TextDecoder().decode(response.body);
    if (status === 503 && saysNoInstance(text)) {
      return { ...this.#learned(noItems, url, undefined), doubt, settled };
    }
    if (status !== 200) throw servingError("DIRECTORY_FAILED", refusal(response));
    const list = upstreamAnswerFromJson(text);
    // A list that is not complete yet is asked for whole again: "as before" would be taken for settled.
    const tag = settled ? response.header("etag") : undefined;
    return { ...this.#learned(list, url, tag), doubt, settled };
  }

  /** Without the tag of an empty list, so that the next poll brings it anew and not "as before". */
  #learned(list: LearnedList, url: string, etag: string | undefined): LearnedList {
    this.#tag = etag === undefined || list.instances.length === 0 ? undefined : { url, etag };
    return list;
  }
}

/** What a directory of the kit says of its list, by headers that EAS's SDKs do not look at; nothing means that all is well. */
function vouchedIn(response: HttpGetResponse): {
  doubt: ServingError | undefined;
  settled: boolean;
} {
  const { stale, settled } = listWarningsFrom(response.header("warning"));
  const why = "says that its list is stale: it cannot reach its store";
  return { doubt: stale ? servingError("DIRECTORY_FAILED", why) : undefined, settled };
}

function refusal(response: HttpGetResponse): string {
  const { status } = response;
  const redirect = redirectText(response);
  if (redirect !== undefined) return `answered ${status}, ${redirect}`;
  if (status === 401 || status === 403) return `answered ${status}; check directoryToken`;
  return `answered ${status}, expected 200`;
}
