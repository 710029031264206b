import type { Reason } from "../../src/core/error-catalog.js";
import type { Clock, Logger } from "../../src/core/ports.js";
import { type Random, silentLogger } from "../../src/core/ports.js";
import { servingError } from "../../src/core/serving-error.js";
import { createKubernetesSource } from "../../src/resolve/kubernetes/kubernetes-source.js";
import type { Source } from "../../src/resolve/source.js";
import { parseKubernetesTarget } from "../../src/resolve/target/target-kubernetes.js";
import type { HttpHead, HttpQuestion } from "../../src/transport/http-connection.js";
import type { HttpGet } from "../../src/transport/http-get.js";
import type { HttpLines } from "../../src/transport/http-lines.js";
import { type ApiResponse, KubernetesApi } from "./kubernetes-api.js";
import { KubernetesStore } from "./kubernetes-store.js";

/** A fake API server without sockets, on a clock of the test's. */
export interface KubernetesPorts {
  readonly store: KubernetesStore;
  readonly api: KubernetesApi;
  /** While true, nobody can be reached. */
  unreachable: boolean;
  /** While true, connections are half-open: what is sent on them is lost, both ways. */
  mute: boolean;
  /** Questions, also those that were refused or lost. */
  readonly requests: number;
  readonly get: HttpGet;
  readonly lines: HttpLines;
  /** While true, no question is answered, while watches that are open go on. */
  silent: boolean;
}

/** Makes one with an empty store. */
export function createKubernetesPorts(clock: Clock): KubernetesPorts {
  const store = new KubernetesStore();
  const api = new KubernetesApi(store, clock);
  const refused = () => servingError("CONNECT_FAILED", "connect ECONNREFUSED");

  function ask({ url, headers }: HttpQuestion, response: ApiResponse): void {
    if (ports.mute) return;
    const { pathname, search } = new URL(url);
    api.answer({ method: "GET", target: `${pathname}${search}`, headers }, response);
  }

  let requests = 0;
  const ports: KubernetesPorts = {
    store,
    api,
    unreachable: false,
    mute: false,
    get requests() {
      return requests;
    },
    get: (request) =>
      new Promise((resolve, reject) => {
        requests += 1;
        if (ports.unreachable) {
          reject(refused());
          return;
        }
        const settle = (act: () => void): void => {
          cancelTimer();
          request.signal?.removeEventListener("abort", abort);
          act();
        };
        const fail = (reason: Reason, why: string): void =>
          settle(() => reject(servingError(reason, why)));
        const abort = (): void => fail("CANCELLED", "given up");
        const late = (): void => fail("DEADLINE_EXCEEDED", "no whole answer");
        const cancelTimer = clock.after(request.timeoutMs, late, { background: true });
        request.signal?.addEventListener("abort", abort);
        let head: HttpHead = headOf(0, {});
        let body = "";
        if (ports.silent) return;
        ask(request, {
          head(status, headers) {
            head = headOf(status, headers);
          },
          write(text) {
            body += text;
          },
          end: () => settle(() => resolve({ ...head, body: new TextEncoder().encode(body) })),
          reset: () => fail("CONNECT_FAILED", "socket hang up"),
        });
      }),
    lines(request) {
      requests += 1;
      const { listener } = request;
      let over = false;
      let begun = "";
      const later = (act: () => void): void => {
        if (ports.mute && !ports.unreachable) return;
        queueMicrotask(() => {
          if (!over) act();
        });
      };
      const end = (error?: ReturnType<typeof refused>): void =>
        later(() => {
          over = true;
          listener.onEnd(error);
        });
      const response: ApiResponse = {
        head: (status, headers) => later(() => listener.onHead(headOf(status, headers))),
        write(text) {
          const whole = (begun + text).split("\n");
          begun = whole.pop() ?? "";
          for (const line of whole) later(() => listener.onLine(line));
        },
        end() {
          if (begun !== "") later(() => listener.onLine(begun));
          end();
        },
        reset: () => end(servingError("CONNECT_FAILED", "aborted")),
      };
      if (ports.unreachable) end(refused());
      else ask(request, response);
      return {
        cancel() {
          over = true;
          api.gone(response);
        },
      };
    },
    silent: false,
  };
  return ports;
}

function headOf(status: number, headers: Readonly<Record<string, string>>): HttpHead {
  return { status, header: (name) => headers[name] };
}

/** The source of `ns/mnist:grpc` over these ports. */
export function sourceOver(
  ports: KubernetesPorts,
  clock: Clock,
  {
    port = "grpc",
    logger = silentLogger,
    random = () => 0.5,
  }: { readonly port?: string; readonly logger?: Logger; readonly random?: Random } = {},
): Source {
  const rest = `api:8001/ns/mnist:${port}`;
  const target = parseKubernetesTarget(`kubernetes://${rest}`, rest);
  const { get, lines } = ports;
  const base = { clock, logger, random, pollIntervalMs: 5_000 };
  return createKubernetesSource(target, { ...base, get, lines });
}
