import { servingError } from "../../src/core/serving-error.js";
import type { HttpGet, HttpGetRequest } from "../../src/transport/http-get.js";

/** What a scripted server answers; `never` leaves a request without an answer until it is given up. */
export type ScriptedAnswer =
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  | Error
  | "never";

/** A server without sockets: answers every GET with what is set. */
export interface ScriptedServer {
  readonly get: HttpGet;
  readonly requests: readonly HttpGetRequest[];
  answer: ScriptedAnswer;
}

/** Makes a scripted server. */
export function createScriptedServer(first: ScriptedAnswer): ScriptedServer {
  const requests: HttpGetRequest[] = [];
  const server = {
    requests,
    answer: first,
    get(request: HttpGetRequest) {
      requests.push(request);
      const { answer } = server;
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer === "never") return untilAborted(request);
      const { status, body = "", headers = {} } = answer;
      return Promise.resolve({
        status,
        header: (name: string) => headers[name],
        body: new TextEncoder().encode(body),
      });
    },
  };
  return server;
}

function untilAborted({ signal, clock, timeoutMs }: HttpGetRequest): Promise<never> {
  return new Promise((_, reject) => {
    const late = (): void => reject(servingError("DEADLINE_EXCEEDED", "took too long"));
    const cancelTimer = clock.after(timeoutMs, late, { background: true });
    signal?.addEventListener("abort", () => {
      cancelTimer();
      reject(servingError("CANCELLED", "given up"));
    });
  });
}

/** A discovery answer with these items, as EAS writes it. */
export function easBody(items: readonly object[]): string {
  return JSON.stringify({ correlative: ["mnist"], endpoints: { items } });
}
