import { openChannel } from "../../client/service-channel.js";
import { servingError } from "../../core/serving-error.js";
import { predictRpc, predictStreamRpc } from "../../wire/predict.js";
import type { CliContext } from "../command.js";
import { describeMethod } from "../described-method.js";
import { requestsIn } from "../request-json.js";
import type { ChaosFlags } from "./flags.js";
import type { HostProcess } from "./host-process.js";
import { framed } from "./wire-client.js";

/** What every call of a run asks. */
export interface ChaosRequest {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** All frames of the request. */
  readonly body: Uint8Array;
}

const REFLECTION_TIMEOUT_MS = 10_000;

/** A host, as far as a request needs it. */
type AskedHost = Pick<HostProcess, "port" | "lines">;

/** What a request is made of. */
export interface RequestParts {
  readonly flags: ChaosFlags;
  /** What `--data` has given; undefined without it. */
  readonly payload: Uint8Array | undefined;
  readonly context: CliContext;
  readonly signal: AbortSignal;
}

/**
 * Makes the request of a run: bytes for `process()`, or JSON for a typed method.
 *
 * @throws ConfigError `INVALID_OPTION` for what the module does not have, and JSON that does not fit.
 */
export async function chaosRequest(host: AskedHost, parts: RequestParts): Promise<ChaosRequest> {
  const { takesBytes, methods } = loaded(host);
  const { method } = parts.flags;
  if (method !== undefined) return await typedRequest(host, method, parts);
  if (takesBytes) return bytesRequest(parts.payload ?? new Uint8Array(0));
  const [only] = methods;
  if (only !== undefined && methods.length === 1) {
    return await typedRequest(host, only.slice(1), parts);
  }
  throw servingError(
    "INVALID_OPTION",
    `--method is missing, expected one of ${methods.map((path) => path.slice(1)).join(", ")}`,
  );
}

/** The same question to a processor that answers in pieces. */
export function inPieces(request: ChaosRequest): ChaosRequest {
  return { ...request, path: predictStreamRpc.path };
}

function loaded({ lines }: AskedHost): {
  readonly takesBytes: boolean;
  readonly methods: readonly string[];
} {
  const fields = lines.find(({ message }) => message === "processor loaded")?.fields ?? {};
  const methods = fields["methods"];
  return {
    takesBytes: fields["takesBytes"] === true,
    methods: Array.isArray(methods) ? methods.map(String) : [],
  };
}

function bytesRequest(data: Uint8Array): ChaosRequest {
  const message = predictRpc.encodeRequest({ service: "", path: "", data: Buffer.from(data) });
  return { path: predictRpc.path, body: framed(message) };
}

async function typedRequest(
  host: AskedHost,
  name: string,
  { flags, payload, context, signal }: RequestParts,
): Promise<ChaosRequest> {
  const channel = openChannel({ target: `127.0.0.1:${host.port}` });
  try {
    const call = { timeoutMs: REFLECTION_TIMEOUT_MS, signal };
    const method = await describeMethod(name, { channel, flags, context, call });
    const text = payload === undefined ? undefined : new TextDecoder().decode(payload);
    const frames: Buffer[] = [];
    for await (const message of requestsIn(method, text)) frames.push(framed(message));
    return { path: method.path, body: Buffer.concat(frames) };
  } finally {
    await channel.close();
  }
}
