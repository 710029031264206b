import { isGroupPart } from "../../core/group-name.js";
import { addressText, isServiceName, weightProblem } from "../../core/instance.js";
import { nearestName } from "../../core/nearest.js";
import { isServingError, servingError } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import { type ListedInstance, listServicesRpc, listUpstreamsRpc } from "../../wire/upstream.js";
import { takeUpstreamItems } from "../../wire/upstream-item.js";
import type { DirectoryClient } from "./directory-client.js";

/** A service as a directory lists it. */
export interface ListedService {
  readonly service: string;
  readonly version: string;
  /** Whether the directory cannot reach what it learns from. */
  readonly stale: boolean;
  /** By name. */
  readonly instances: readonly ListedInstance[];
  /** Listed instances that make no sense; they are left out. */
  readonly rejected: number;
  /** Of a group with traffic shares, the share of each member by its name without the group; else empty. */
  readonly shares: ReadonlyMap<string, number>;
}

/**
 * Asks for one service, or for a group.
 *
 * @returns undefined when the directory has never heard of it
 */
export async function readService(
  client: DirectoryClient,
  service: string,
  signal?: AbortSignal,
): Promise<ListedService | undefined> {
  try {
    const answer = await client.call(listUpstreamsRpc, { service }, signal);
    const { instances, rejected } = takeUpstreamItems(answer.instances);
    const registered = registeredWeights(answer.instances);
    return {
      service,
      version: answer.version,
      stale: answer.stale,
      instances: instances
        .map((instance) => {
          const registeredWeight = registered.get(`${instance.key} ${instance.weight}`);
          return registeredWeight === undefined ? instance : { ...instance, registeredWeight };
        })
        .sort((a, b) => compareNames(a.name, b.name) || compareNames(a.key, b.key)),
      rejected,
      shares: new Map([...answer.shares].filter(isShare)),
    };
  } catch (thrown) {
    if (isServingError(thrown) && thrown.code === Status.NOT_FOUND) return undefined;
    throw thrown;
  }
}

type ListedItem = Awaited<ReturnType<typeof listUpstreamsRpc.decodeResponse>>["instances"][number];

/** The weights that instances registered with, where another one is in force, by address and weight in force. */
function registeredWeights(items: readonly ListedItem[]): ReadonlyMap<string, number> {
  return new Map(
    items.flatMap(({ ip, port, weight, registeredWeight }) =>
      registeredWeight === undefined || weightProblem(registeredWeight) !== undefined
        ? []
        : [[`${addressText(ip, port)} ${weight}`, registeredWeight] as const],
    ),
  );
}

function isShare([member, share]: readonly [string, number]): boolean {
  return isGroupPart(member) && weightProblem(share) === undefined;
}

/** Asks for the names of all services, ascending; names that no service can have are left out. */
export async function readServiceNames(
  client: DirectoryClient,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { services } = await client.call(listServicesRpc, {}, signal);
  return [...new Set(services)].filter(isServiceName).sort(compareNames);
}

/** Ascending, `v2` before `v10`. */
export function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** The error of a service that the directory does not know. */
export function unknownService(
  service: string,
  known: readonly string[],
  { directory }: DirectoryClient,
): Error {
  const nearest = nearestName(service, known);
  const hint = nearest === undefined ? "" : `, did you mean "${nearest}"?`;
  const message = `directory ${directory}: no instance of ${service} has ever registered${hint}`;
  return servingError("SERVICE_UNKNOWN", message);
}

/** Those that get traffic. */
export function withWeight<T extends { readonly weight: number }>(
  instances: readonly T[],
): readonly T[] {
  return instances.filter(({ weight }) => weight > 0);
}
