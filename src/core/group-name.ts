import { isServiceName, weightProblem } from "./instance.js";
import { seen } from "./options.js";
import { isRecord } from "./record.js";

/** Members of one group at most. */
const MAX_GROUP_MEMBERS = 100;

/** Tells whether a text can name a group, or a member of one: `group.member` is the member's service. */
export function isGroupPart(text: string): boolean {
  return isServiceName(text) && !text.includes(".");
}

/** The name of the group that a service is a member of; undefined for a service of its own. */
export function groupOf(service: string): string | undefined {
  const dot = service.indexOf(".");
  return dot < 0 ? undefined : service.slice(0, dot);
}

/** Says what is wrong with the traffic shares of the members of a group, or undefined when they can be used. */
export function sharesProblem(
  group: string,
  shares: ReadonlyMap<string, unknown>,
): string | undefined {
  if (!isGroupPart(group)) return partProblem(group, "group");
  if (shares.size > MAX_GROUP_MEMBERS) {
    return `shares has ${shares.size} members, expected at most ${MAX_GROUP_MEMBERS}`;
  }
  for (const [member, share] of shares) {
    if (!isGroupPart(member)) return partProblem(member, "a key of shares");
    const problem = weightProblem(share);
    if (problem !== undefined) return `shares["${member}"]: ${problem}`;
  }
  const some = [...shares.values()].some((share) => typeof share === "number" && share > 0);
  return some ? undefined : "shares has no member above 0, expected at least one";
}

/** Reads traffic shares from JSON, an object of shares by member; undefined when they make no sense. */
export function sharesFromJson(
  group: string,
  json: unknown,
): ReadonlyMap<string, number> | undefined {
  if (!isRecord(json) || sharesProblem(group, new Map(Object.entries(json))) !== undefined) {
    return undefined;
  }
  return new Map(Object.entries(json).map(([member, share]) => [member, Number(share)]));
}

function partProblem(name: string, field: string): string {
  return `${field} is ${seen(name)}, expected letters, digits, _ and -, without a dot`;
}
