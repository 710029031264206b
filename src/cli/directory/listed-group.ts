import { someAtOnce } from "../some-at-once.js";
import type { DirectoryClient } from "./directory-client.js";
import { compareNames, type ListedService, readService, withWeight } from "./listed-service.js";

/** How many services are asked for at a time. */
export const LISTS_AT_ONCE = 16;

/** A member of a group as a directory lists it. */
export interface ListedMember {
  /** Its name without the group. */
  readonly member: string;
  /** Its name with the group. */
  readonly service: string;
  /** Whether anybody has shared the group's traffic out. */
  readonly sharedOut: boolean;
  /** Its part of the shares in percent, as they are set; undefined when it is not among them. */
  readonly sharePercent: number | undefined;
  /** Its part of the traffic in percent: shares of members without an instance of weight go to the others. */
  readonly trafficPercent: number;
  /** Undefined when none of its instances has ever registered. */
  readonly list: ListedService | undefined;
}

/**
 * Asks for the members of a group: those with a share, and those that registered.
 *
 * @param names - of all services
 */
export async function readMembers(
  client: DirectoryClient,
  group: string,
  {
    shares,
    names,
  }: { readonly shares: ListedService["shares"]; readonly names: readonly string[] },
  signal?: AbortSignal,
): Promise<readonly ListedMember[]> {
  const prefix = `${group}.`;
  const listed = names.filter((name) => name.startsWith(prefix));
  const members = [
    ...new Set([...shares.keys(), ...listed.map((name) => name.slice(prefix.length))]),
  ].sort(compareNames);
  const lists = await someAtOnce(members, LISTS_AT_ONCE, (member) =>
    readService(client, prefix + member, signal),
  );
  return membersOf(group, shares, new Map(members.map((member, at) => [member, lists[at]])));
}

/** The members of a group, of its shares and their lists. */
export function membersOf(
  group: string,
  shares: ReadonlyMap<string, number>,
  lists: ReadonlyMap<string, ListedService | undefined>,
): readonly ListedMember[] {
  const set = percentOf([...shares.values()]);
  const inTraffic = [...lists].map(([member, list]) =>
    withWeight(list?.instances ?? []).length > 0 ? (shares.get(member) ?? 0) : 0,
  );
  const real = percentOf(inTraffic);
  return [...lists].map(([member, list], at) => {
    const share = shares.get(member);
    return {
      member,
      service: `${group}.${member}`,
      sharedOut: shares.size > 0,
      sharePercent: share === undefined ? undefined : set(share),
      trafficPercent: real(inTraffic[at] ?? 0),
      list,
    };
  });
}

/** Turns parts into percent of their sum; 0 where that is 0. */
function percentOf(parts: readonly number[]): (part: number) => number {
  const total = parts.reduce((sum, part) => sum + part, 0);
  return (part) => (total === 0 ? 0 : (part / total) * 100);
}
