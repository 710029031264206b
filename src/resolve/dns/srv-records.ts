import { DEFAULT_WEIGHT, MIN_WEIGHT, portProblem } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import type { DnsService } from "./dns-message.js";
import { DNS_NAME_FORM, isDnsName } from "./dns-name.js";

/** RFC 2782 gives weight 0 "a very small chance": this part of the smallest that is not 0. */
const ZERO_WEIGHT_RATIO = 0.01;

/** SRV records, sorted out. */
export interface SortedServices {
  /** Those of one priority each, the most wanted first. */
  readonly priorities: readonly (readonly DnsService[])[];
  readonly rejected: number;
  readonly firstProblem: string | undefined;
}

/** Sorts SRV records by priority, and leaves out those that make no sense. */
export function sortServices(services: readonly DnsService[]): SortedServices {
  const byPriority = new Map<number, DnsService[]>();
  let rejected = 0;
  let firstProblem: string | undefined;
  for (const service of services) {
    const problem = serviceProblem(service);
    if (problem !== undefined) {
      rejected += 1;
      firstProblem ??= problem;
      continue;
    }
    const alike = byPriority.get(service.priority);
    if (alike === undefined) byPriority.set(service.priority, [service]);
    else alike.push(service);
  }
  const ascending = [...byPriority].sort(([a], [b]) => a - b);
  return { priorities: ascending.map(([, alike]) => alike), rejected, firstProblem };
}

/** "Decidedly not available at this domain", in RFC 2782's words. */
export function saysNotAvailable(services: readonly DnsService[]): boolean {
  return services.length > 0 && services.every(({ target }) => target === ".");
}

function serviceProblem({ target, port }: DnsService): string | undefined {
  if (!isDnsName(target)) return `target is ${seen(target)}, expected ${DNS_NAME_FORM}`;
  return portProblem(port);
}

/**
 * The kit's weights of records of one priority, in their order: as they are, 0 as a hundredth of the smallest that is not,
 * {@link DEFAULT_WEIGHT} when all are 0.
 */
export function weightsOf(services: readonly Pick<DnsService, "weight">[]): readonly number[] {
  const positive = services.map(({ weight }) => weight).filter((weight) => weight > 0);
  if (positive.length === 0) return services.map(() => DEFAULT_WEIGHT);
  const zero = ZERO_WEIGHT_RATIO * positive.reduce((least, weight) => Math.min(least, weight));
  return services.map(({ weight }) => (weight > 0 ? weight : zero));
}

/** What each of so many addresses of a target gets of its weight. */
export function sharedWeight(weight: number, addresses: number): number {
  return Math.max(MIN_WEIGHT, weight / addresses);
}
