import type { Instance } from "../../core/instance.js";
import type { MetadataView } from "../../core/metadata.js";
import type { Clock } from "../../core/ports.js";
import { CallError, ServingError } from "../../core/serving-error.js";
import { Status, statusName } from "../../core/status.js";
import type { Transport, TransportFactory } from "../../transport/transport.js";
import { callUnary } from "../../transport/unary-call.js";
import { healthCheckRpc, ServingStatus } from "../../wire/health.js";
import { saidBy } from "../said-by.js";
import { someAtOnce } from "../some-at-once.js";

/** What an instance says of its health, or what became of the question. */
export type HealthStatus =
  | "serving"
  | "not serving"
  /** Has the health service, which does not know the instance's own state. */
  | "unknown service"
  /** Speaks gRPC, without the health service. */
  | "no health service"
  /** Answered with another error, such as one for a token that it wants. */
  | "refused"
  | "unreachable";

/** The health of one instance. */
export interface InstanceHealth {
  readonly status: HealthStatus;
  /** Of one that refused or could not be reached, why. */
  readonly why: string | undefined;
  /** How long the answer took, the connection included. */
  readonly ms: number;
}

/** How health is asked for. */
export interface HealthOptions {
  readonly connect: TransportFactory;
  readonly metadata: MetadataView;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const AT_ONCE = 16;
const ANSWER_MS = 2_000;

/**
 * Asks instances for their health, some at a time, each for two seconds at most.
 *
 * @returns by the instances' keys; those that were not asked any more because of the signal are missing
 */
export async function healthOf(
  instances: readonly Instance[],
  options: HealthOptions,
): Promise<ReadonlyMap<string, InstanceHealth>> {
  const found = new Map<string, InstanceHealth>();
  await someAtOnce(instances, AT_ONCE, async (instance) => {
    if (options.signal.aborted) return;
    const health = await ask(instance, options);
    if (!options.signal.aborted) found.set(instance.key, health);
  });
  return found;
}

async function ask(
  instance: Instance,
  { connect, metadata, clock, signal }: HealthOptions,
): Promise<InstanceHealth> {
  const startMs = clock.now();
  const took = (): number => Math.round((clock.now() - startMs) * 10) / 10;
  let transport: Transport | undefined;
  try {
    transport = connect(instance);
    const { status } = await callUnary(
      transport,
      healthCheckRpc,
      { service: "" },
      { metadata, timeoutMs: ANSWER_MS, signal },
    );
    return { status: statusOf(status), why: undefined, ms: took() };
  } catch (thrown) {
    return { ...failureOf(ServingError.from(thrown)), ms: took() };
  } finally {
    transport?.close();
  }
}

function statusOf(status: ServingStatus): HealthStatus {
  if (status === ServingStatus.SERVING) return "serving";
  return status === ServingStatus.SERVICE_UNKNOWN ? "unknown service" : "not serving";
}

function failureOf(error: ServingError): Pick<InstanceHealth, "status" | "why"> {
  if (!(error instanceof CallError) || !error.remote) {
    return { status: "unreachable", why: saidBy(error) };
  }
  if (error.code === Status.NOT_FOUND) return { status: "unknown service", why: undefined };
  if (error.code === Status.UNIMPLEMENTED) return { status: "no health service", why: undefined };
  return { status: "refused", why: `${statusName(error.code)}: ${saidBy(error)}` };
}
