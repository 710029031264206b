import type { CancelTimer, Clock } from "../../src/core/ports.js";
import { parseSelector } from "./kubernetes-selector.js";
import type { ApiObject, KubernetesStore, StoreChange } from "./kubernetes-store.js";

/** A GET, whatever it came by. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What carries an answer. */
export interface ApiResponse {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Bytes of the body, in UTF-8 or as they are. */
  write(text: string): void;
  end(): void;
  /** Breaks the connection. */
  reset(): void;
}

/** What a test may have go wrong. */
export type ApiFault =
  | "hang"
  | "reset"
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

/** How the API behaves; a test changes it while it runs. */
export interface ApiSettings {
  /** Bearer tokens that are taken; empty: no authentication. */
  tokens: readonly string[];
  /** Verbs on endpointslices that nobody may. */
  forbidden: readonly ("list" | "watch")[];
  /** Milliseconds between bookmarks; about a minute in reality. */
  bookmarkMs: number;
  /** Too old a version is answered with 410 at once; API servers of today send it as an event. */
  expiredOnConnect: boolean;
  /** Called for each request on endpointslices; what it gives happens instead of an answer. */
  fault: (verb: "list" | "watch", query: URLSearchParams) => ApiFault | undefined;
}

/** A watch that is open. */
interface OpenWatch {
  readonly response: ApiResponse;
  readonly stop: () => void;
}

const GROUP = "discovery.k8s.io";
const SLICES =
  /^\/apis\/discovery\.k8s\.io\/v1\/(?:namespaces\/([^/]+)\/)?endpointslices(?:\/([^/]+))?$/;

/** The part of an API server that lists and watches EndpointSlices, without its sockets; strict. */
export class KubernetesApi {
  readonly settings: ApiSettings = {
    tokens: [],
    forbidden: [],
    bookmarkMs: 60_000,
    expiredOnConnect: false,
    fault: () => undefined,
  };
  /** Requests on endpointslices that were taken or refused, in order: `list` or `watch`, and the query. */
  readonly seen: { readonly verb: "list" | "watch"; readonly query: URLSearchParams }[] = [];
  readonly #store: KubernetesStore;
  readonly #clock: Clock;
  readonly #watches = new Set<OpenWatch>();

  constructor(store: KubernetesStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Watches that are open. */
  get watching(): number {
    return this.#watches.size;
  }

  /** Ends all watches: as an API server does now and then, by breaking connections, or with an event before. */
  endWatches(how: "clean" | "reset" | { readonly line: string } = "clean"): void {
    for (const { response, stop } of [...this.#watches]) {
      stop();
      if (how === "reset") response.reset();
      else {
        if (typeof how === "object") response.write(`${how.line}\n`);
        response.end();
      }
    }
  }

  /** Sends something on all watches, whatever it is. */
  say(text: string): void {
    for (const { response } of this.#watches) response.write(text);
  }

  /** Ends what belongs to a connection that is gone. */
  gone(response: ApiResponse): void {
    for (const watch of this.#watches) if (watch.response === response) watch.stop();
  }

  answer({ method, target, headers }: ApiRequest, response: ApiResponse): void {
    const url = new URL(target, "http://api");
    const accept = String(headers["accept"] ?? "*/*");
    if (method !== "GET") {
      refuse(response, 405, "MethodNotAllowed", "only GET is here");
      return;
    }
    if (!/json|\*\/\*/.test(accept)) {
      refuse(response, 406, "NotAcceptable", accept);
      return;
    }
    if (!this.#knows(headers["authorization"])) {
      refuse(response, 401, "Unauthorized", "Unauthorized");
      return;
    }
    const slices = SLICES.exec(url.pathname);
    if (slices !== null) {
      this.#slices(slices[1], slices[2], url.searchParams, response);
      return;
    }
    const found = discovery(url.pathname, this.#namespaces());
    if (found === undefined) {
      refuse(response, 404, "NotFound", "the server could not find the requested resource");
      return;
    }
    send(response, 200, found);
  }

  #knows(authorization: string | readonly string[] | undefined): boolean {
    const { tokens } = this.settings;
    return tokens.length === 0 || tokens.some((token) => authorization === `Bearer ${token}`);
  }

  #namespaces(): readonly string[] {
    return [...new Set(["default", ...this.#store.objects().map((o) => o.metadata.namespace)])];
  }

  #slices(
    namespace: string | undefined,
    name: string | undefined,
    query: URLSearchParams,
    response: ApiResponse,
  ): void {
    const verb = /^(1|t|true)$/i.test(query.get("watch") ?? "") ? "watch" : "list";
    this.seen.push({ verb, query });
    const fault = this.settings.fault(verb, query);
    if (fault !== undefined) {
      commit(fault, response);
      return;
    }
    if (this.settings.forbidden.includes(verb)) {
      const who = 'User "system:serviceaccount:ns:default"';
      const where =
        namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
      const message = `endpointslices.${GROUP} is forbidden: ${who} cannot ${verb} resource "endpointslices" in API group "${GROUP}" ${where}`;
      refuse(response, 403, "Forbidden", message);
      return;
    }
    const problem = problemOf(query);
    if (problem !== undefined) {
      refuse(response, ...problem);
      return;
    }
    const labels = parseSelector(query.get("labelSelector") ?? "");
    const field = /^metadata\.name=(.+)$/.exec(query.get("fieldSelector") ?? "")?.[1] ?? name;
    const selects = (object: ApiObject | undefined): object is ApiObject =>
      object !== undefined &&
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (field === undefined || object.metadata.name === field) &&
      labels?.(object.metadata.labels ?? {}) === true;
    if (verb === "watch") this.#watch(selects, query, response);
    else if (name === undefined) this.#list(selects, query, response);
    else {
      const found = this.#store.objects().find(selects);
      if (found !== undefined) {
        send(response, 200, whole(found));
        return;
      }
      refuse(response, 404, "NotFound", `endpointslices.${GROUP} "${name}" not found`);
    }
  }

  #list(
    selects: (object: ApiObject | undefined) => object is ApiObject,
    query: URLSearchParams,
    response: ApiResponse,
  ): void {
    const token = query.get("continue") || undefined;
    const from =
      token === undefined ? { version: this.#store.revision, after: "" } : tokenOf(token);
    if (from === undefined) {
      refuse(response, 400, "BadRequest", "continue key is not valid");
      return;
    }
    if (from.version < this.#store.oldest) {
      const message =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";
      refuse(response, 410, "Expired", message);
      return;
    }
    const keyOf = ({ metadata }: ApiObject) => `${metadata.namespace}/${metadata.name}`;
    // A page comes from the moment of the first one; what has changed since is left out here, so tests change nothing between.
    const rest = this.#store
      .objects()
      .filter(selects)
      .filter((object) => keyOf(object) > from.after);
    const limit = Number(query.get("limit") ?? "0") || rest.length;
    const items = rest.slice(0, limit);
    const last = items.at(-1);
    const more = rest.length > items.length && last !== undefined;
    send(response, 200, {
      kind: "EndpointSliceList",
      apiVersion: `${GROUP}/v1`,
      metadata: {
        resourceVersion: String(from.version),
        ...(more ? { continue: continueToken(from.version, keyOf(last)) } : {}),
      },
      items,
    });
  }

  #watch(
    selects: (object: ApiObject | undefined) => object is ApiObject,
    query: URLSearchParams,
    response: ApiResponse,
  ): void {
    const asked = query.get("resourceVersion") ?? "";
    const since = asked === "" || asked === "0" ? this.#store.revision : Number(asked);
    const store = this.#store;
    const expired = `too old resource version: ${since} (${store.oldest})`;
    if (since < store.oldest && this.settings.expiredOnConnect) {
      refuse(response, 410, "Expired", expired);
      return;
    }
    response.head(200, { "content-type": "application/json" });
    const event = (type: string, object: object): void =>
      response.write(`${JSON.stringify({ type, object })}\n`);
    if (since < store.oldest || since > store.revision) {
      const large = statusOf(504, "Timeout", `Too large resource version: ${since}`);
      event("ERROR", since < store.oldest ? statusOf(410, "Expired", expired) : large);
      response.end();
      return;
    }
    if (asked === "" || asked === "0") {
      for (const object of store.objects()) if (selects(object)) event("ADDED", whole(object));
    }
    const timers: CancelTimer[] = [];
    const stopFollowing = store.follow(since, (change) => tell(change, selects, event));
    const watch: OpenWatch = {
      response,
      stop: () => {
        stopFollowing();
        for (const cancel of timers) cancel();
        this.#watches.delete(watch);
      },
    };
    this.#watches.add(watch);
    const seconds = Number(query.get("timeoutSeconds") ?? "0") || 1_800;
    const end = (): void => {
      watch.stop();
      response.end();
    };
    timers[0] = this.#clock.after(seconds * 1_000, end, { background: true });
    if (query.get("allowWatchBookmarks") !== "true") return;
    const bookmark = (): void => {
      const metadata = { resourceVersion: String(store.revision), creationTimestamp: null };
      event("BOOKMARK", { ...kind, metadata, addressType: "", endpoints: null, ports: null });
      timers[1] = this.#clock.after(this.settings.bookmarkMs, bookmark, { background: true });
    };
    timers[1] = this.#clock.after(this.settings.bookmarkMs, bookmark, { background: true });
  }
}

const kind = { kind: "EndpointSlice", apiVersion: `${GROUP}/v1` } as const;

function whole(object: ApiObject): object {
  return { ...kind, ...object };
}

function tell(
  { before, after, object }: StoreChange,
  selects: (object: ApiObject | undefined) => object is ApiObject,
  event: (type: string, object: object) => void,
): void {
  const [was, is] = [selects(before), selects(after)];
  if (is) event(was ? "MODIFIED" : "ADDED", whole(object));
  else if (was) event("DELETED", whole(object));
}

function problemOf(query: URLSearchParams): [number, string, string] | undefined {
  for (const name of ["limit", "timeoutSeconds"]) {
    const value = query.get(name);
    if (value !== null && !/^\d+$/.test(value)) {
      return [400, "BadRequest", `strconv.ParseInt: parsing "${value}": invalid syntax`];
    }
  }
  const version = query.get("resourceVersion") ?? "";
  if (!/^\d*$/.test(version)) {
    return [400, "BadRequest", `resourceVersion: Invalid value: "${version}"`];
  }
  if (query.get("continue") && version !== "" && version !== "0") {
    return [400, "BadRequest", "specifying resource version is not allowed when using continue"];
  }
  if (query.has("sendInitialEvents")) {
    const why =
      "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    return [422, "Invalid", why];
  }
  const selector = query.get("labelSelector") ?? "";
  if (parseSelector(selector) === undefined) {
    return [400, "BadRequest", `unable to parse requirement: ${selector}`];
  }
  const fields = query.get("fieldSelector") ?? "";
  if (fields !== "" && !/^metadata\.name=[^,]+$/.test(fields)) {
    return [400, "BadRequest", `field label not supported: ${fields}`];
  }
  return undefined;
}

function commit(fault: ApiFault, response: ApiResponse): void {
  if (fault === "hang") return;
  if (fault === "reset") {
    response.reset();
    return;
  }
  response.head(fault.status, { "content-type": "application/json", ...fault.headers });
  response.write(fault.body ?? "");
  response.end();
}

/** The Status of a refusal, as the API writes it. */
export function statusOf(code: number, reason: string, message: string, details?: object): object {
  const fields = { status: "Failure", message, reason, ...(details ? { details } : {}), code };
  return { kind: "Status", apiVersion: "v1", metadata: {}, ...fields };
}

function refuse(response: ApiResponse, code: number, reason: string, message: string): void {
  send(response, code, statusOf(code, reason, message));
}

function send(response: ApiResponse, status: number, body: object): void {
  response.head(status, { "content-type": "application/json" });
  response.write(`${JSON.stringify(body)}\n`);
  response.end();
}

function continueToken(version: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: version, start: after })).toString(
    "base64url",
  );
}

function tokenOf(token: string): { readonly version: number; readonly after: string } | undefined {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString()) as Record<
      string,
      unknown
    >;
    if (typeof rv === "number" && typeof start === "string") return { version: rv, after: start };
  } catch {
    // Not one of ours.
  }
  return undefined;
}

const version = { major: "1", minor: "32", gitVersion: "v1.32.4", platform: "linux/amd64" };
const groupVersion = { groupVersion: `${GROUP}/v1`, version: "v1" };

/** What clients ask to learn what an API server serves. */
function discovery(path: string, namespaces: readonly string[]): object | undefined {
  const resource = (name: string, kindName: string, namespaced: boolean): object => ({
    name,
    singularName: kindName.toLowerCase(),
    namespaced,
    kind: kindName,
    verbs: ["get", "list", "watch"],
  });
  const namespaceOf = (name: string): object => ({
    kind: "Namespace",
    apiVersion: "v1",
    metadata: { name },
  });
  const documents: Readonly<Record<string, object>> = {
    "/version": version,
    "/api": { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] },
    "/apis": {
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: [{ name: GROUP, versions: [groupVersion], preferredVersion: groupVersion }],
    },
    [`/apis/${GROUP}`]: {
      kind: "APIGroup",
      apiVersion: "v1",
      name: GROUP,
      versions: [groupVersion],
      preferredVersion: groupVersion,
    },
    [`/apis/${GROUP}/v1`]: {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: `${GROUP}/v1`,
      resources: [resource("endpointslices", "EndpointSlice", true)],
    },
    "/api/v1": {
      kind: "APIResourceList",
      groupVersion: "v1",
      resources: [resource("namespaces", "Namespace", false)],
    },
    "/api/v1/namespaces": {
      kind: "NamespaceList",
      apiVersion: "v1",
      metadata: { resourceVersion: "1" },
      items: namespaces.map(namespaceOf),
    },
  };
  const known = namespaces.find((name) => path === `/api/v1/namespaces/${name}`);
  return known === undefined ? documents[path] : namespaceOf(known);
}
