import {
  CallError,
  ENDPOINT_TYPE_DIRECT,
  PredictClient,
  type PredictClientOptions,
  StringRequest,
} from "inferwire/eas";
import { afterEach } from "vitest";
import {
  type EasAnswer,
  type EasServer,
  listing,
  type SeenRequest,
  startEasServer,
} from "./eas-server.js";

/** Options of a client that finds instances by a list, and sees it change soon. */
export const direct: { readonly endpointType: "DIRECT"; readonly pollIntervalMs: number } = {
  endpointType: ENDPOINT_TYPE_DIRECT,
  pollIntervalMs: 20,
};

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Makes a client that is closed after the test. */
export function clientOf(
  endpoint: string,
  service = "mnist",
  options: PredictClientOptions = {},
): PredictClient {
  const client = new PredictClient(endpoint, service, { seed: 1, ...options });
  cleanUps.push(() => client.close());
  return client;
}

/** Starts a server that is closed after the test. */
export async function server(
  answer?: (request: SeenRequest) => EasAnswer,
  tls?: { readonly cert: string; readonly key: string },
): Promise<EasServer & { readonly url: string }> {
  const started = await startEasServer(answer, tls);
  cleanUps.push(() => started[Symbol.asyncDispose]());
  const scheme = tls === undefined ? "http" : "https";
  return Object.assign(started, { url: `${scheme}://127.0.0.1:${started.port}` });
}

/** Two servers behind a discovery address; what each answers is up to the test. */
export async function pair(
  answers: readonly [(request: SeenRequest) => EasAnswer, (request: SeenRequest) => EasAnswer],
  options: PredictClientOptions = {},
): Promise<{ client: PredictClient; servers: readonly [EasServer, EasServer] }> {
  const servers = [await server(answers[0]), await server(answers[1])] as const;
  const directory = await server(() => listing(servers[0].port, servers[1].port));
  const client = clientOf(directory.url, "mnist", { ...direct, retryBudgetRatio: 1, ...options });
  await client.init();
  return { client, servers };
}

/** The answer to a call with a text, as text. */
export async function textOf(client: PredictClient, text = "hello"): Promise<string> {
  return (await client.predict(new StringRequest(text))).toString();
}

/** The CallError that a call ends with. */
export async function errorOf(call: Promise<unknown>): Promise<CallError> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof CallError)) throw new Error(`expected a CallError, got ${thrown}`);
  return thrown;
}
