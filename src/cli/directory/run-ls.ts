import { groupOf } from "../../core/group-name.js";
import { checkServiceName } from "../../core/instance.js";
import type { CliContext } from "../command.js";
import { percentText } from "../percent-text.js";
import { printableLine } from "../printable.js";
import { sharesOf } from "../resolve/instance-changes.js";
import { someAtOnce } from "../some-at-once.js";
import { textTable } from "../text-table.js";
import type { DirectoryClientFlags } from "./client-flags.js";
import { type DirectoryClient, withDirectory } from "./directory-client.js";
import { groupJson, serviceJson } from "./list-json.js";
import { LISTS_AT_ONCE, type ListedMember, membersOf, readMembers } from "./listed-group.js";
import {
  type ListedService,
  readService,
  readServiceNames,
  unknownService,
  withWeight,
} from "./listed-service.js";
import { listedWeightText, weightText } from "./weight-text.js";

/** Runs `inferwire directory ls`. */
export async function runLs(
  service: string | undefined,
  flags: DirectoryClientFlags,
  context: CliContext,
): Promise<void> {
  if (service !== undefined) checkServiceName(service, "SERVICE");
  await withDirectory(flags, context, (client) =>
    service === undefined ? showAll(client, context) : showOne(service, client, context),
  );
}

async function showAll(client: DirectoryClient, { terminal, signal }: CliContext): Promise<void> {
  const names = await readServiceNames(client, signal);
  const lists = new Map(await namedLists(client, names, signal));
  const groups = [...new Set(names.flatMap((name) => groupOf(name) ?? []))];
  const groupLists = await namedLists(client, groups, signal);
  const members = new Map(
    groupLists.flatMap(([group, list]) => {
      const prefix = `${group}.`;
      const own = names.filter((name) => name.startsWith(prefix));
      const byMember = own.map((name) => [name.slice(prefix.length), lists.get(name)] as const);
      const shares = list?.shares ?? new Map<string, number>();
      return membersOf(group, shares, new Map(byMember)).map((each) => [each.service, each]);
    }),
  );
  const { directory } = client;
  if (terminal.json) {
    for (const [name, list] of lists) {
      terminal.result({ directory, ...serviceJson(name, list, members.get(name)) }, "");
    }
    return;
  }
  const stale = [...lists.values()].some((list) => list?.stale === true);
  const notes = stale ? ` (${STALE})` : "";
  const title = `directory ${directory}: ${counted(names.length, "service")}${notes}`;
  const rows = [...lists].map(([name, list]) => {
    const member = members.get(name);
    const instances = list?.instances ?? [];
    return [
      name,
      countText(list),
      weightText(instances.reduce((sum, { weight }) => sum + weight, 0)),
      member === undefined ? "" : trafficText(member),
    ];
  });
  const head = ["SERVICE", "INSTANCES", "WEIGHT", "TRAFFIC"];
  terminal.result(
    undefined,
    [title, ...(rows.length === 0 ? [] : textTable([head, ...rows]))].join("\n"),
  );
}

async function namedLists(
  client: DirectoryClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly (readonly [string, ListedService | undefined])[]> {
  return await someAtOnce(names, LISTS_AT_ONCE, async (name) => [
    name,
    await readService(client, name, signal),
  ]);
}

const STALE =
  "stale: the directory cannot reach what it learns from, this is the last that it knows";

async function showOne(
  service: string,
  client: DirectoryClient,
  { terminal, signal }: CliContext,
): Promise<void> {
  const list = await readService(client, service, signal);
  const group = await groupMembers(service, list, client, signal);
  const { directory } = client;
  const wayOn = list === undefined ? wayOnOf(service, group) : "";
  const text = [
    `${titleOf(service, list, client)}${wayOn}`,
    ...(group === undefined ? [] : memberLines(group)),
  ];
  const instances = instanceLines(list, group);
  const value =
    group === undefined ? serviceJson(service, list, undefined) : groupJson(service, list, group);
  terminal.result({ directory, ...value }, [...text, ...instances].join("\n"));
}

/**
 * The members of a service that is a group; a group that nobody has shared out yet is none to the directory.
 *
 * @throws DiscoveryError `SERVICE_UNKNOWN` when it is neither a service nor a group.
 */
async function groupMembers(
  service: string,
  list: ListedService | undefined,
  client: DirectoryClient,
  signal: AbortSignal,
): Promise<readonly ListedMember[] | undefined> {
  if (list !== undefined && list.shares.size === 0) return undefined;
  const names = await readServiceNames(client, signal);
  const shares = list?.shares ?? new Map<string, number>();
  const members = await readMembers(client, service, { shares, names }, signal);
  if (members.length > 0) return members;
  throw unknownService(service, names, client);
}

/** Nobody finds a group before its first release. */
function wayOnOf(service: string, members: readonly ListedMember[] = []): string {
  const live = members.find(({ list }) => withWeight(list?.instances ?? []).length > 0);
  const { member } = live ?? members[0] ?? { member: "MEMBER" };
  return `; to begin: inferwire directory release ${service} --to ${member} --percent 100`;
}

function titleOf(
  service: string,
  list: ListedService | undefined,
  { directory }: DirectoryClient,
): string {
  const notes = [
    ...(list === undefined
      ? ["no traffic is shared out yet"]
      : [`version ${printableLine(list.version.slice(0, 80))}`]),
    ...(list !== undefined && list.rejected > 0
      ? [`${list.rejected} items that made no sense left out`]
      : []),
    ...(list?.stale === true ? [STALE] : []),
  ].join(", ");
  const instances = list?.instances ?? [];
  const some = counted(instances.length, "instance");
  const weighty = withWeight(instances).length;
  const all = weighty === instances.length ? some : `${some}, ${weighty} with weight`;
  return `${service} at directory ${directory}: ${all} (${notes})`;
}

function memberLines(members: readonly ListedMember[]): readonly string[] {
  const rows = members.map((each) => {
    const { member, sharePercent, list } = each;
    return [
      member,
      sharePercent === undefined ? "none" : percentText(sharePercent),
      trafficText(each),
      countText(list),
      list?.stale === true ? "stale" : "",
    ];
  });
  return textTable([["MEMBER", "SHARE", "TRAFFIC", "INSTANCES", ""], ...rows]);
}

function trafficText({ sharedOut, trafficPercent }: ListedMember): string {
  return sharedOut ? percentText(trafficPercent) : "-";
}

function instanceLines(
  list: ListedService | undefined,
  group: readonly ListedMember[] | undefined,
): readonly string[] {
  const instances = list?.instances ?? [];
  if (instances.length === 0) return [];
  const shares = sharesOf(instances);
  const rows = instances.map((each) => [
    each.name,
    each.key,
    // A group's weights are made of the shares: the registered one belongs to the member.
    group === undefined ? listedWeightText(each) : weightText(each.weight),
    percentText(shares.get(each.key) ?? 0),
    each.app,
  ]);
  const blank = group === undefined ? [] : [""];
  return [...blank, ...textTable([["NAME", "ADDRESS", "WEIGHT", "SHARE", "APP"], ...rows])];
}

/** How many get traffic, of how many. */
function countText(list: ListedService | undefined): string {
  const instances = list?.instances ?? [];
  return `${withWeight(instances).length}/${instances.length}`;
}

function counted(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`;
}
