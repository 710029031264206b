import type { ListedInstance } from "../../wire/upstream.js";
import { sharesOf } from "../resolve/instance-changes.js";
import type { ListedMember } from "./listed-group.js";
import { type ListedService, withWeight } from "./listed-service.js";

/** What machines get of a service; `member` where it is one of a group. */
export function serviceJson(
  service: string,
  list: ListedService | undefined,
  member: ListedMember | undefined,
): object {
  return {
    service,
    ...listHead(list),
    sharePercent: member?.sharePercent ?? null,
    trafficPercent: member?.trafficPercent ?? null,
    instances: instancesJson(list?.instances ?? []),
  };
}

/** What machines get of a group: its members as the services that they are, and the instances that clients of the group get. */
export function groupJson(
  group: string,
  list: ListedService | undefined,
  members: readonly ListedMember[],
): object {
  return {
    group,
    ...listHead(list),
    instances: instancesJson(list?.instances ?? []),
    members: members.map((each) => ({
      member: each.member,
      ...serviceJson(each.service, each.list, each),
    })),
  };
}

function listHead(list: ListedService | undefined): object {
  const instances = list?.instances ?? [];
  return {
    version: list?.version ?? null,
    stale: list?.stale ?? false,
    rejected: list?.rejected ?? 0,
    listed: instances.length,
    withWeight: withWeight(instances).length,
    weight: instances.reduce((sum, { weight }) => sum + weight, 0),
  };
}

function instancesJson(instances: readonly ListedInstance[]): readonly object[] {
  const shares = sharesOf(instances);
  return instances.map(({ name, key, host, port, weight, registeredWeight, app }) => ({
    name,
    address: key,
    host,
    port,
    weight,
    registeredWeight: registeredWeight ?? weight,
    sharePercent: shares.get(key),
    app,
  }));
}
