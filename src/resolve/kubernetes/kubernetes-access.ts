import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isLoopback, parseEndpoint } from "../../core/endpoint.js";
import { addressText } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { type ServingError, servingError } from "../../core/serving-error.js";
import { isToken } from "../../core/token.js";
import type { ClientTls } from "../../transport/transport.js";
import { currentToken, type SourceOptions } from "../source-options.js";
import type { KubernetesTarget } from "../target/target-kind.js";

/** Where a pod finds what its cluster gives it. */
export interface ClusterPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of the service account, with `token` and `ca.crt`. */
  readonly folder: string;
}

/**
 * Where Kubernetes itself puts it.
 *
 * The one place besides the command line that reads the environment: there is no other way to learn where the API server is,
 * and nobody sets these variables but the cluster.
 */
const ownPlace: ClusterPlace = {
  environment: process.env,
  folder: "/var/run/secrets/kubernetes.io/serviceaccount",
};

/** How one request gets to the API server. */
export interface KubernetesAccess {
  /** `https://10.0.0.1:443` */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ClientTls | undefined;
}

/**
 * Refuses a token that would go to another machine in clear: whoever reads it on the way may do in the cluster what its owner may.
 *
 * @throws ConfigError `INVALID_OPTION` that says what to set.
 */
export function checkKubernetesToken(
  { server }: KubernetesTarget,
  { directoryTls, directoryToken }: Pick<SourceOptions, "directoryTls" | "directoryToken">,
): void {
  if (directoryToken === undefined || directoryTls !== undefined) return;
  if (server === undefined || isLoopback(server.host)) return;
  const where = addressText(server.host, server.port);
  throw servingError(
    "INVALID_OPTION",
    `directoryToken would go to the API server ${where} without TLS, for all on the way to read; expected directoryTls with it, or no token and a kubectl proxy on this machine`,
  );
}

/** For a function that gives the token. */
const TOKEN_TIMEOUT_MS = 5_000;

/**
 * Finds out how to get to the API server, for one request: files of the service account are read anew each time, since they are
 * replaced about once an hour, and requests are minutes apart.
 *
 * @throws DiscoveryError `DIRECTORY_FAILED` that says what is missing.
 */
export async function kubernetesAccess(
  target: KubernetesTarget,
  options: Pick<SourceOptions, "clock" | "directoryTls" | "directoryToken">,
  place: ClusterPlace = ownPlace,
): Promise<KubernetesAccess> {
  const { server } = target;
  const { directoryTls } = options;
  const given = await currentToken(options, TOKEN_TIMEOUT_MS);
  if (server !== undefined) {
    const scheme = directoryTls === undefined ? "http" : "https";
    const origin = `${scheme}://${addressText(server.host, server.port)}`;
    return { origin, headers: headersWith(given), tls: directoryTls };
  }
  const origin = originFrom(place);
  const token = given ?? (await tokenFrom(place));
  if (directoryTls?.ca !== undefined || directoryTls?.caFile !== undefined) {
    return { origin, headers: headersWith(token), tls: directoryTls };
  }
  const ca = await fileFrom(place, "ca.crt");
  return { origin, headers: headersWith(token), tls: { ...directoryTls, ca } };
}

function headersWith(token: string | undefined): Readonly<Record<string, string>> {
  const accept = "application/json";
  if (token === undefined) return { accept };
  return { accept, authorization: /^Bearer /i.test(token) ? token : `Bearer ${token}` };
}

function originFrom({ environment }: ClusterPlace): string {
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "") throw outside("KUBERNETES_SERVICE_HOST is not set");
  const address = addressText(host, Number(port));
  if (!/^\d+$/.test(port) || !parseEndpoint(address)?.port) {
    const seenPlace = `KUBERNETES_SERVICE_HOST is ${seen(host)}, KUBERNETES_SERVICE_PORT ${seen(port)}`;
    throw outside(seenPlace);
  }
  return `https://${address}`;
}

async function tokenFrom(place: ClusterPlace): Promise<string> {
  const token = (await fileFrom(place, "token")).trim();
  if (isToken(token)) return token;
  // Not shown: it may be a secret with something stray in it.
  throw outside(`${join(place.folder, "token")} holds no usable text`);
}

async function fileFrom({ folder }: ClusterPlace, name: string): Promise<string> {
  const file = join(folder, name);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw outside(`${file} cannot be read: ${code}`, cause);
  }
}

function outside(what: string, cause?: unknown): ServingError {
  return servingError(
    "DIRECTORY_FAILED",
    `${what}; expected to run in a pod with a service account, or a target kubernetes://HOST:PORT/NAMESPACE/SERVICE:PORT, with directoryTls and directoryToken for an API server over TLS`,
    { cause },
  );
}
