import { type CatalogEntry, type ErrorKind, errorCatalog, type Reason } from "./error-catalog.js";
import { emptyMetadata, type MetadataView } from "./metadata.js";
import { Status } from "./status.js";

/** What an error may carry besides its reason and message. */
export interface ServingErrorOptions {
  readonly cause?: unknown;
  /** The gRPC status, where it is not the one of the reason (errors that came over the wire). */
  readonly code?: Status;
  /** Plain data for programs; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const brand = Symbol.for("inferwire.ServingError");

/**
 * An error of the kit: what happened (`reason`), the gRPC status it has on the wire (`code`), and whether the call may
 * be sent to another instance (`safeToRepeat`).
 */
export class ServingError extends Error {
  readonly reason: Reason;
  readonly code: Status;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(reason: Reason, message: string, options: ServingErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = reason;
    this.code = options.code ?? errorCatalog[reason].code;
    this.details = options.details ?? {};
  }

  /** The catalogue's row for the reason. */
  get entry(): CatalogEntry {
    return errorCatalog[this.reason];
  }

  /** True when no work was done for the call. */
  get safeToRepeat(): boolean {
    return this.entry.safeToRepeat;
  }

  /** Takes whatever was thrown for an error of the kit; the original stays as `cause`. */
  static from(thrown: unknown): ServingError {
    const known = findServingError(thrown);
    if (known !== undefined) return known;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const name = thrown instanceof Error ? thrown.name : "";
    if (name === "AbortError") return servingError("CANCELLED", message, { cause: thrown });
    if (name === "TimeoutError")
      return servingError("DEADLINE_EXCEEDED", message, { cause: thrown });
    if (isConnectionError(thrown))
      return servingError("CONNECT_FAILED", message, { cause: thrown });
    return servingError("INTERNAL", message, { cause: thrown, code: Status.UNKNOWN });
  }
}

// A brand rather than instanceof, so that two copies of the package recognise each other's errors.
Object.defineProperty(ServingError.prototype, brand, { value: true });

/** The caller's options or arguments make no sense; thrown before any I/O. */
export class ConfigError extends ServingError {}
/** The list of instances is missing, malformed or empty. */
export class DiscoveryError extends ServingError {}
/** The user's processor threw or broke its shape. */
export class ProcessorError extends ServingError {}
/** The host refused: full, draining, not ready, unauthenticated. */
export class HostError extends ServingError {}

/**
 * What became of an attempt: it was the call's answer (`answered`, also an error that the app got), another one followed
 * (`repeated`), the call was left to attempts that were under way (`left-to-others`), another one was faster (`overtaken`),
 * the caller, the time limit or the client's end stopped it (`given-up`), it could not be begun (`not-made`), or it failed
 * and there was no other, for the reason that the rest name.
 */
export type AttemptOutcome =
  | "under-way"
  | "answered"
  | "repeated"
  | "left-to-others"
  | "overtaken"
  | "given-up"
  | "not-made"
  | "not-safe-to-repeat"
  | "attempts-used-up"
  | "budget-empty"
  | "no-time-left"
  | "server-said-no"
  | "answer-begun"
  | "request-not-kept";

/** One attempt of a call, as reports show it. */
export interface AttemptReport {
  /** `host:port` of the instance. */
  readonly instance: string;
  /** How the attempt ended; undefined while it is under way. */
  readonly code: Status | undefined;
  /** The catalogue's name for it, when it was not OK. */
  readonly reason: Reason | undefined;
  /** What became of it. */
  readonly outcome: AttemptOutcome;
  /** True when it was begun while another one of the same call was under way. */
  readonly hedge: boolean;
  /** From the start of the call to the start of the attempt, in milliseconds. */
  readonly startedMs: number;
  /** From the start of the attempt to a usable connection, in milliseconds; 0 when there was one. */
  readonly connectMs: number;
  /** From then until the answer began (its headers), in milliseconds; to the end when none came. */
  readonly waitMs: number;
  /** From then until the end of the attempt, in milliseconds. */
  readonly transferMs: number;
  /** From the start of the attempt to its end, in milliseconds. */
  readonly durationMs: number;
}

/** What a call went through. */
export interface CallReport {
  /** Version of the list that the last pick was made from; 0 when there never was one. */
  readonly snapshotVersion: number;
  /** Age of that list at the time of the last pick, in milliseconds. */
  readonly snapshotAgeMs: number;
  /** Instances that could be picked then. */
  readonly candidates: number;
  /** How long the call waited for the first list, in milliseconds. */
  readonly resolveMs: number;
  /** Time that the call had, in milliseconds; Infinity for no limit, as streams of answers have none of their own. */
  readonly timeoutMs: number;
  /** True when that is what was left to the call that was being served, less a reserve. */
  readonly inherited: boolean;
  /** From the start of the call until now, in milliseconds. */
  readonly durationMs: number;
  /** In order of their start. */
  readonly attempts: readonly AttemptReport[];
}

/** What a {@link CallError} carries besides. */
export interface CallErrorOptions extends ServingErrorOptions {
  readonly remote?: boolean;
  readonly instance?: string | undefined;
  readonly trailer?: MetadataView | undefined;
  readonly report?: CallReport | undefined;
  readonly httpStatus?: number | undefined;
  readonly body?: Uint8Array | undefined;
}

/** A call failed on our side or arrived as an error. */
export class CallError extends ServingError {
  /** True when the error came over the wire, false when it arose on this side. */
  readonly remote: boolean;
  /** `host:port` of the instance that the last attempt went to, if there was one. */
  readonly instance: string | undefined;
  /** What the service sent behind the error. */
  readonly trailer: MetadataView;
  /** What the call went through, if it was made through a channel of the kit. */
  readonly report: CallReport | undefined;
  /** Status of an answer over HTTP; undefined over gRPC, and when there was none. */
  readonly httpStatus: number | undefined;
  readonly #body: Uint8Array | undefined;

  constructor(reason: Reason, message: string, options: CallErrorOptions = {}) {
    super(reason, message, options);
    this.remote = options.remote ?? false;
    this.instance = options.instance;
    this.trailer = options.trailer ?? emptyMetadata;
    this.report = options.report;
    this.httpStatus = options.httpStatus;
    this.#body = options.body;
  }

  /** Body of that answer; does not show where the error is printed or written as JSON, for it may be large, or a secret. */
  get body(): Uint8Array | undefined {
    return this.#body;
  }

  /** The attempts of the call, in order. */
  get attempts(): readonly AttemptReport[] {
    return this.report?.attempts ?? [];
  }
}

const classOfKind: Readonly<Record<ErrorKind, typeof ServingError>> = {
  config: ConfigError,
  discovery: DiscoveryError,
  call: CallError,
  processor: ProcessorError,
  host: HostError,
};

/** Makes the error of a reason, of the class that belongs to its kind. */
export function servingError(
  reason: Reason,
  message: string,
  options?: ServingErrorOptions,
): ServingError {
  return new classOfKind[errorCatalog[reason].kind](reason, message, options);
}

/** Tells whether something thrown is an error of the kit, whichever copy of the package made it. */
export function isServingError(thrown: unknown): thrown is ServingError {
  return typeof thrown === "object" && thrown !== null && brand in thrown;
}

const MAX_CAUSES = 8;

function findServingError(thrown: unknown): ServingError | undefined {
  let current = thrown;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (isServingError(current)) return current;
    current = current.cause;
  }
  return isServingError(thrown) ? thrown : undefined;
}

const connectionErrors: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

function isConnectionError(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    "code" in thrown &&
    typeof thrown.code === "string" &&
    connectionErrors.has(thrown.code)
  );
}
