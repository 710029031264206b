import { retryAfterFromText } from "../../core/retry-after.js";
import { type ServingError, servingError } from "../../core/serving-error.js";
import { shownText, withoutSecret } from "../../core/shown-text.js";
import { type HttpHead, type HttpQuestion, redirectText } from "../../transport/http-connection.js";
import { type ApiStatus, apiStatusFromJson, SERVICE_LABEL } from "../../wire/endpoint-slice.js";
import type { KubernetesTarget } from "../target/target-kind.js";
import type { KubernetesAccess } from "./kubernetes-access.js";

const SHOWN_CHARACTERS = 300;

/** Wanting the caller to wait for longer is ignored: nobody would learn of what changes meanwhile. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** A GET on the slices of a service. */
export function sliceQuestion(
  { origin, headers, tls }: KubernetesAccess,
  { namespace, name }: KubernetesTarget,
  query: Readonly<Record<string, string>>,
): HttpQuestion {
  const params = new URLSearchParams({ labelSelector: `${SERVICE_LABEL}=${name}`, ...query });
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  return { url: `${origin}${path}?${params}`, headers, tls };
}

/** The error of an answer that is no success; what it says of itself is in the details. */
export function refusal(
  head: HttpHead,
  text: string,
  question: HttpQuestion,
  { namespace }: KubernetesTarget,
): ServingError {
  const { status, header } = head;
  const said = apiStatusFromJson(text);
  const message = withoutSecret(said?.message ?? "", question.headers["authorization"]);
  const redirect = redirectText(head);
  const hint = redirect === undefined ? (hints[status]?.(namespace) ?? "") : `, ${redirect}`;
  const waitMs = retryAfterFromText(header("retry-after")) ?? said?.retryAfterMs;
  return statusError(status, `answered ${status}${hint}`, message, waitMs);
}

/** The error of a status inside a watch. */
export function watchError({ code, reason, message, retryAfterMs }: ApiStatus): ServingError {
  const expired = code === 410 || reason === "Expired" || reason === "Gone";
  const what = `ended the watch with ${code}${reason === "" ? "" : ` ${shownText(reason, 40)}`}`;
  return statusError(expired ? EXPIRED : IN_STREAM, what, message, retryAfterMs);
}

/** Tells whether the API server no longer knows a version, or the next page of a list. */
export function isExpired(error: ServingError): boolean {
  return error.details["httpStatus"] === EXPIRED;
}

/**
 * Tells whether a watch that failed so may go on from its last version. After anything else only a new list is sure to help: the
 * version may be what is wrong, as after a cluster was restored from a copy.
 */
export function mayResume(error: ServingError): boolean {
  const { httpStatus } = error.details;
  if (httpStatus !== undefined) return resumable.has(httpStatus);
  return error.reason !== "UPSTREAM_MALFORMED" && error.reason !== "MESSAGE_TOO_LARGE";
}

const EXPIRED = 410;

/** What came inside a watch had been answered with it. */
const IN_STREAM = 200;

/** Refusals that have nothing to do with the version: token, load. */
const resumable: ReadonlySet<unknown> = new Set([401, 429, 503]);

const hints: Readonly<Record<number, (namespace: string) => string>> = {
  401: () =>
    ", the token is missing, wrong or outlived: directoryToken, or that of the service account",
  403: (namespace) =>
    `, grant the verbs list and watch on endpointslices of the API group discovery.k8s.io in namespace ${namespace} by a Role and a RoleBinding`,
  404: () => ", expected an API server of Kubernetes 1.21 or later",
};

function statusError(
  httpStatus: number,
  what: string,
  said: string,
  waitMs: number | undefined,
): ServingError {
  const shown = shownText(said.slice(0, 4 * SHOWN_CHARACTERS), SHOWN_CHARACTERS);
  const waits =
    waitMs === undefined ? {} : { retryAfterMs: Math.min(waitMs, LONGEST_RETRY_AFTER_MS) };
  return servingError("DIRECTORY_FAILED", shown === "" ? what : `${what}: ${shown}`, {
    details: { httpStatus, ...waits },
  });
}
