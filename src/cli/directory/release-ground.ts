import { didYouMean } from "../../core/nearest.js";
import { servingError } from "../../core/serving-error.js";
import type { DirectoryClient } from "./directory-client.js";
import { type ListedMember, readMembers } from "./listed-group.js";
import { type ListedService, readService, readServiceNames, withWeight } from "./listed-service.js";
import { type ReleaseGoal, type Split, splitOf } from "./release-plan.js";
import type { ReleaseRequest } from "./release-request.js";

/** What a release begins with. */
export interface ReleaseGround {
  readonly goal: ReleaseGoal;
  /** Every member, the goal's included; all 0 when nothing is shared out yet. */
  readonly now: Split;
  /** As the directory has them. */
  readonly shares: ReadonlyMap<string, number>;
  readonly members: readonly ListedMember[];
}

/** How many instances of a list get calls. */
export function liveCount(list: ListedService | undefined): number {
  return withWeight(list?.instances ?? []).length;
}

/**
 * Reads a group, and looks whether the release makes sense.
 *
 * @throws ConfigError `INVALID_OPTION` for a service that is no group, DiscoveryError `SERVICE_UNKNOWN` for one without members,
 * and, unless forced, `NO_INSTANCE` when nobody would be there to answer calls.
 */
export async function releaseGround(
  request: ReleaseRequest,
  client: DirectoryClient,
  signal: AbortSignal,
): Promise<ReleaseGround> {
  const { group, member, percent, force } = request;
  const list = await readService(client, group, signal);
  const shares = list?.shares ?? new Map<string, number>();
  if (shares.size === 0 && (list?.instances.length ?? 0) > 0) throw noGroup(group);
  const names = await readServiceNames(client, signal);
  const members = await readMembers(client, group, { shares, names }, signal);
  if (members.length === 0) {
    throw servingError(
      "SERVICE_UNKNOWN",
      `directory ${client.directory}: no service named ${group}.NAME has registered; ${namedSo(group)}`,
    );
  }
  const known = members.map((each) => each.member);
  const now = splitOf(new Map([...known, member].map((each) => [each, shares.get(each) ?? 0])));
  const target = members.find((each) => each.member === member);
  if (!force && percent > (now.get(member) ?? 0) && liveCount(target?.list) === 0) {
    const hint = target === undefined ? didYouMean(member, known) : "";
    throw servingError(
      "NO_INSTANCE",
      `${group}.${member} has no listed instance with a weight above 0${hint}; nothing is changed, --force does it even so`,
    );
  }
  const others = members.filter((each) => each.member !== member);
  if (others.length === 0 && percent < 100) {
    throw servingError(
      "INVALID_OPTION",
      `--percent is ${percent}: ${group} has no other member than ${member} to get the rest`,
    );
  }
  const live = others.filter(({ list: of }) => liveCount(of) > 0);
  const evenTo = (live.length > 0 ? live : others).map((each) => each.member);
  return { goal: { member, percent, evenTo }, now, shares, members };
}

/**
 * Refuses a split in which nobody who has a share has an instance.
 *
 * @throws DiscoveryError `NO_INSTANCE`
 */
export function refuseDeadSplit(
  split: Split,
  { members }: ReleaseGround,
  { group }: ReleaseRequest,
): void {
  if (members.some(({ member, list }) => (split.get(member) ?? 0) > 0 && liveCount(list) > 0))
    return;
  throw servingError(
    "NO_INSTANCE",
    `no member of ${group} that would get traffic has a listed instance with a weight above 0; nothing is changed, --force does it even so`,
  );
}

function noGroup(group: string): Error {
  return servingError(
    "INVALID_OPTION",
    `SERVICE is "${group}", which is a service with instances of its own, not a group; ${namedSo(group)}`,
  );
}

function namedSo(group: string): string {
  return `the members of a group are services of their own, named such as ${group}.v1 and ${group}.v2, and clients ask for ${group}`;
}
