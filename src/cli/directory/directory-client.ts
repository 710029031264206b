import { channelDefaults } from "../../client/client-options.js";
import { type Instance, instanceOf } from "../../core/instance.js";
import { emptyMetadata, type MetadataView, metadataOf } from "../../core/metadata.js";
import type { Clock } from "../../core/ports.js";
import type { RpcDefinition } from "../../core/rpc-definition.js";
import { isServingError, ServingError, servingError } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import { directoryDefaults } from "../../directory/directory-options.js";
import { directoryEndpoints } from "../../host/advertise.js";
import { createGrpcTransport } from "../../transport/grpc-transport.js";
import type { Transport, TransportFactory } from "../../transport/transport.js";
import { callUnary } from "../../transport/unary-call.js";
import { timeoutOf, tlsOf, usesTls } from "../channel-flags.js";
import { warnOfClearToken } from "../clear-token.js";
import type { CliContext } from "../command.js";
import { saidBy } from "../said-by.js";
import type { DirectoryClientFlags } from "./client-flags.js";
import { SEEN_WITHIN_MS } from "./shown-within.js";

const MAX_LIST_BYTES = 16 * 1024 * 1024;
const LONGEST_CONNECT_MS = 2_000;

/** Asks directories, and tells them something. */
export interface DirectoryClient {
  /** Address of the directory that is asked: of the last that has answered, of the first before that. */
  readonly directory: string;
  /**
   * Calls a method of the directory that answered last; where that is away, of the next one.
   *
   * @param signal - gives the call up
   * @throws DiscoveryError `DIRECTORY_FAILED` when all of them are away, and when one refuses to answer or is no directory;
   * HostError `STORE_FAILED` when all of them say so; CallError with what a directory has found of the request, and `CANCELLED`.
   */
  call<Req, Res>(
    definition: RpcDefinition<Req, Res>,
    request: Req,
    signal?: AbortSignal,
  ): Promise<Res>;
  /** A client for each of the other directories alone; they are closed with this one. */
  others(): readonly DirectoryClient[];
  close(): void;
}

/** What a client is made of. */
export interface DirectoryClientParts {
  /** At least one. */
  readonly directories: readonly Instance[];
  readonly metadata: MetadataView;
  /** For a call at all directories together. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly connect: TransportFactory;
}

/**
 * Does something with the directories that the flags name.
 *
 * @throws ConfigError for flags that make no sense; what `work` throws.
 */
export async function withDirectory<T>(
  flags: DirectoryClientFlags,
  context: CliContext,
  work: (client: DirectoryClient) => Promise<T>,
): Promise<T> {
  const { token, clock } = context;
  const directories = directoriesOf(flags, context);
  const tls = await tlsOf(flags, context);
  const timeoutMs = timeoutOf(flags) ?? channelDefaults.timeoutMs;
  if (!usesTls(flags)) warnOfClearToken(token, directories, context);
  const client = createDirectoryClient({
    directories,
    metadata: token === undefined ? emptyMetadata : metadataOf({ authorization: token }),
    timeoutMs,
    clock,
    connect: (instance) =>
      createGrpcTransport(instance, {
        tls: tls === true ? {} : tls,
        maxMessageBytes: MAX_LIST_BYTES,
        pingIntervalMs: 0,
        connectTimeoutMs: Math.min(LONGEST_CONNECT_MS, timeoutMs),
      }),
  });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

function directoriesOf(
  { directory }: DirectoryClientFlags,
  { env }: CliContext,
): readonly Instance[] {
  const variable = "INFERWIRE_DIRECTORY";
  const where = directory === undefined ? variable : "--directory";
  const text = directory ?? env[variable] ?? directoryDefaults.endpoint;
  return directoryEndpoints(text, where).map((endpoint) => instanceOf(endpoint));
}

/** Makes a client; nothing is connected before its first call. */
export function createDirectoryClient(parts: DirectoryClientParts): DirectoryClient {
  return new FailOverClient(parts);
}

class FailOverClient implements DirectoryClient {
  readonly #parts: DirectoryClientParts;
  #turn = 0;
  #transport: Transport | undefined;
  readonly #alone = new Map<Instance, FailOverClient>();

  constructor(parts: DirectoryClientParts) {
    this.#parts = parts;
  }

  get directory(): string {
    return this.#current()?.key ?? "";
  }

  async call<Req, Res>(
    definition: RpcDefinition<Req, Res>,
    request: Req,
    signal?: AbortSignal,
  ): Promise<Res> {
    const { directories, metadata, timeoutMs, clock } = this.#parts;
    const endMs = clock.now() + timeoutMs;
    const failures: string[] = [];
    let cause: ServingError | undefined;
    let storesFailed = true;
    for (const left of directories.map((_, tried) => directories.length - tried)) {
      const transport = this.#connected();
      // The next ones need time, too.
      const share = Math.max(1, (endMs - clock.now()) / left);
      try {
        return await callUnary(transport, definition, request, {
          metadata,
          timeoutMs: share,
          signal,
        });
      } catch (thrown) {
        if (!isAway(thrown)) throw refusal(thrown, definition.path, transport.instance.key);
        cause = ServingError.from(thrown);
        storesFailed &&= cause.reason === "STORE_FAILED";
        failures.push(`${transport.instance.key}: ${saidBy(cause)}`);
        this.#leave(transport);
      }
    }
    const [first = "", ...others] = failures;
    const text = others.length === 0 ? `directory ${first}` : failures.join("; ");
    const all = storesFailed ? "no directory's store works: " : "no directory answers: ";
    const none = others.length === 0 ? "" : all;
    const reason = storesFailed ? "STORE_FAILED" : "DIRECTORY_FAILED";
    throw servingError(reason, `${none}${text}`, cause === undefined ? {} : { cause });
  }

  others(): readonly DirectoryClient[] {
    const asked = this.#current();
    return this.#parts.directories
      .filter((directory) => directory !== asked)
      .map((directory) => {
        const alone =
          this.#alone.get(directory) ??
          new FailOverClient({
            ...this.#parts,
            directories: [directory],
            timeoutMs: Math.min(this.#parts.timeoutMs, SEEN_WITHIN_MS),
          });
        this.#alone.set(directory, alone);
        return alone;
      });
  }

  close(): void {
    for (const alone of this.#alone.values()) alone.close();
    this.#transport?.close();
    this.#transport = undefined;
  }

  #current(): Instance | undefined {
    const { directories } = this.#parts;
    return directories[this.#turn % directories.length];
  }

  #connected(): Transport {
    const directory = this.#current();
    if (directory === undefined) throw new Error("no directory is named");
    this.#transport ??= this.#parts.connect(directory);
    return this.#transport;
  }

  /** Goes on to the next directory, unless another call has done so meanwhile. */
  #leave(transport: Transport): void {
    if (this.#transport !== transport) return;
    transport.close();
    this.#transport = undefined;
    this.#turn += 1;
  }
}

/** Whether a directory could not be reached, or not do what another one may: stopping, slow, without its store. */
function isAway(thrown: unknown): boolean {
  if (!isServingError(thrown)) return false;
  return thrown.code === Status.UNAVAILABLE || thrown.code === Status.DEADLINE_EXCEEDED;
}

/** What a directory may find of a request; all else says that it is no directory, or not for this caller. */
const findings: ReadonlySet<Status> = new Set([
  Status.CANCELLED,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.RESOURCE_EXHAUSTED,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
]);

function refusal(thrown: unknown, path: string, directory: string): unknown {
  if (!isServingError(thrown) || findings.has(thrown.code)) return thrown;
  return servingError("DIRECTORY_FAILED", refusalText(thrown, path, directory), { cause: thrown });
}

function refusalText(error: ServingError, path: string, directory: string): string {
  if (error.code === Status.UNIMPLEMENTED) {
    return `${directory} is no directory of the kit: it knows no ${path.slice(path.lastIndexOf("/") + 1)}`;
  }
  const hint =
    error.code === Status.UNAUTHENTICATED ? "; give --token, or set INFERWIRE_DIRECTORY_TOKEN" : "";
  return `directory ${directory}: ${saidBy(error)}${hint}`;
}
