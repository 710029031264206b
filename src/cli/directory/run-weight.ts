import { checkServiceName, weightProblem } from "../../core/instance.js";
import { nearestName } from "../../core/nearest.js";
import { seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import { readNumber } from "../../host/read-value.js";
import { type ListedInstance, setWeightRpc } from "../../wire/upstream.js";
import type { CliContext } from "../command.js";
import { printableLine } from "../printable.js";
import { type DirectoryClient, withDirectory } from "./directory-client.js";
import { type ListedService, readService, withWeight } from "./listed-service.js";
import { refuseOtherStores } from "./other-stores.js";
import { shownWithin } from "./shown-within.js";
import type { DirectoryWeightFlags } from "./weight-flags.js";
import { weightText } from "./weight-text.js";

/** What is to be set, as it was given. */
export interface WeightRequest {
  readonly service: string;
  readonly instance: string;
  readonly weight: string;
}

/** Runs `inferwire directory weight`. */
export async function runWeight(
  request: WeightRequest,
  flags: DirectoryWeightFlags,
  context: CliContext,
): Promise<void> {
  const { service, instance } = request;
  checkServiceName(service, "SERVICE");
  const weight = weightOf(request.weight);
  await withDirectory(flags, context, async (client) => {
    const { signal } = context;
    const listed = await readService(client, service, signal);
    if (listed !== undefined && listed.shares.size > 0) throw isGroup(service, listed.shares);
    const before = listed?.instances ?? [];
    const meant = instanceMeant(instance, before);
    const name = meant?.name ?? instance;
    if (flags.force !== true && meant !== undefined) refuseLast(meant, weight, before, service);
    const set = { service, instance: name, weight };
    const { registered, version } = await client.call(setWeightRpc, set, signal);
    const shows = (list: ListedService | undefined): boolean => {
      const now = list?.instances.find((each) => each.name === name);
      if (now === undefined) return false;
      return weight === undefined ? now.registeredWeight === undefined : now.weight === weight;
    };
    const list = await shownWithin(
      () => readService(client, service),
      // Of one that is not registered nothing shows.
      (seen) => !registered || shows(seen),
      context.clock,
    );
    const after = list?.instances ?? [];
    const outcome: WeightOutcome = {
      service,
      name,
      meant,
      wanted: weight,
      now: after.find((each) => each.name === name),
      registered,
      shown: shows(list),
      others: withWeight(after).filter((each) => each.name !== name).length,
      nearest: registered
        ? undefined
        : nearestName(
            name,
            after.map((each) => each.name),
          ),
    };
    context.terminal.result(
      { directory: client.directory, ...outcomeJson(outcome), version },
      outcomeText(outcome, instance, client),
    );
    if (!registered) {
      tellOthers(client, context);
      return;
    }
    const what = `weight ${weight === undefined ? "as registered" : weightText(weight)} of ${printableLine(name)} of ${service}`;
    if (!outcome.shown) throw notShown(what, outcome, client);
    await refuseOtherStores(client, { what, service, shows }, context);
  });
}

/** Of an instance that is not registered, no directory shows the weight. */
function tellOthers(client: DirectoryClient, { terminal }: CliContext): void {
  const others = client.others().map(({ directory }) => directory);
  if (others.length === 0) return;
  const warning = `whether ${others.join(" and ")} ${others.length === 1 ? "knows" : "know"} of it shows only when the instance is registered; where a directory has a store of its own, set it there too`;
  terminal.fail({ warning }, `warning: ${warning}`);
}

function notShown(what: string, { now }: WeightOutcome, { directory }: DirectoryClient): Error {
  return servingError(
    "CALL_FAILED",
    `FAILED_PRECONDITION (CALL_FAILED): ${what} is set, and directory ${directory} ${shownText(now)}: look with directory ls whether it comes to hold, and set it again where not`,
    { code: Status.FAILED_PRECONDITION },
  );
}

/** The weight to set; undefined for the registered one. */
function weightOf(text: string): number | undefined {
  if (text === "registered") return undefined;
  const weight = readNumber(text, "WEIGHT");
  const problem = weightProblem(weight);
  if (problem === undefined) return weight;
  throw servingError("INVALID_OPTION", problem.replace("weight", "WEIGHT"));
}

function isGroup(service: string, shares: ReadonlyMap<string, number>): Error {
  const members = [...shares.keys()].map((member) => `${service}.${member}`).join(", ");
  return servingError(
    "INVALID_OPTION",
    `SERVICE is ${seen(service)}, which is a group; weights belong to the instances of its members: ${members}`,
  );
}

/** By name, or by address; undefined when none of them is it. */
function instanceMeant(
  given: string,
  instances: readonly ListedInstance[],
): ListedInstance | undefined {
  return instances.find(({ name }) => name === given) ?? instances.find(({ key }) => key === given);
}

function refuseLast(
  { name, weight: before, registeredWeight = before }: ListedInstance,
  weight: number | undefined,
  instances: readonly ListedInstance[],
  service: string,
): void {
  const takesOut = (weight ?? registeredWeight) === 0 && before > 0;
  if (!takesOut || withWeight(instances).length > 1) return;
  throw servingError(
    "INVALID_OPTION",
    `${seen(name)} is the last instance of ${service} with a weight: with 0, nobody gets calls; add --force if that is meant`,
  );
}

interface WeightOutcome {
  readonly service: string;
  readonly name: string;
  /** As it was listed before. */
  readonly meant: ListedInstance | undefined;
  /** Undefined for the registered weight. */
  readonly wanted: number | undefined;
  /** As it is listed now. */
  readonly now: ListedInstance | undefined;
  readonly registered: boolean;
  /** Whether it is listed with what was wanted. */
  readonly shown: boolean;
  /** How many others have a weight. */
  readonly others: number;
  readonly nearest: string | undefined;
}

function outcomeJson(outcome: WeightOutcome): object {
  const { service, name, meant, wanted, now, registered, others, nearest } = outcome;
  return {
    service,
    instance: name,
    address: (now ?? meant)?.key ?? null,
    before: meant?.weight ?? null,
    weight: now?.weight ?? wanted ?? null,
    registeredWeight: now?.registeredWeight ?? now?.weight ?? null,
    registered,
    others,
    nearest: nearest ?? null,
  };
}

function outcomeText(
  outcome: WeightOutcome,
  given: string,
  { directory }: DirectoryClient,
): string {
  const { service, name, meant, wanted, now, registered, shown, others, nearest } = outcome;
  const who = `${printableLine(name)}${given === name ? "" : ` (${given})`} of ${service}`;
  const asRegistered = wanted === undefined ? " as registered" : "";
  const at = `at directory ${directory}`;
  if (!registered) {
    const what = wanted === undefined ? "no weight of an operator" : `weight ${weightText(wanted)}`;
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    return `${who} has ${what} from now on, ${at}; no instance of that name is registered now${hint}`;
  }
  if (!shown) {
    const set = wanted === undefined ? "as registered" : `to ${weightText(wanted)}`;
    return `weight of ${who} set ${set}, ${at}, which ${shownText(now)}`;
  }
  const from = meant === undefined ? "" : `${weightText(meant.weight)} -> `;
  const weight = now?.weight ?? wanted;
  const to = weight === undefined ? "" : weightText(weight);
  const left = weight === 0 ? `; ${remaining(others)}` : "";
  return `weight of ${who}: ${from}${to}${asRegistered}, ${at}${left}`;
}

function shownText(now: ListedInstance | undefined): string {
  if (now === undefined) return "does not list it any more";
  return `still shows ${weightText(now.weight)}`;
}

function remaining(others: number): string {
  if (others === 0) return "no instance with a weight is left";
  return `${others} ${others === 1 ? "other has" : "others have"} a weight`;
}
