import { ServingError, servingError } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import { setTrafficRpc } from "../../wire/upstream.js";
import type { CliContext } from "../command.js";
import { percentText } from "../percent-text.js";
import type { Progress } from "../terminal.js";
import { waitFor } from "../wait.js";
import { type DirectoryClient, withDirectory } from "./directory-client.js";
import { readMembers } from "./listed-group.js";
import { type ListedService, readService } from "./listed-service.js";
import { refuseOtherStores } from "./other-stores.js";
import type { DirectoryReleaseFlags } from "./release-flags.js";
import { liveCount, type ReleaseGround, refuseDeadSplit, releaseGround } from "./release-ground.js";
import { releasePlan, type Split, splitOf, stepsFor } from "./release-plan.js";
import { type ReleaseRequest, releaseRequest } from "./release-request.js";
import { shownWithin } from "./shown-within.js";

/** Between two looks at the directory while a step is waited for. */
const LOOK_MS = 2_000;

type Shares = ReadonlyMap<string, number>;

/** Runs `inferwire directory release`. */
export async function runRelease(
  group: string,
  flags: DirectoryReleaseFlags,
  context: CliContext,
): Promise<void> {
  const request = releaseRequest(group, flags);
  await withDirectory(flags, context, async (client) => {
    const ground = await releaseGround(request, client, context.signal);
    const from = ground.now.get(request.member) ?? 0;
    const steps = request.overMs === 0 ? 1 : stepsFor(from, request.percent, request.points);
    const plan = releasePlan(ground.now, ground.goal, steps);
    const goal = plan.at(-1) ?? ground.now;
    if (!request.force) refuseDeadSplit(goal, ground, request);
    const release = new Release({ request, flags, context, client, ground });
    if (sameShares(goal, ground.now)) await release.showUnchanged();
    else await release.run(plan);
  });
}

interface ReleaseParts {
  readonly request: ReleaseRequest;
  readonly flags: DirectoryReleaseFlags;
  readonly context: CliContext;
  readonly client: DirectoryClient;
  readonly ground: ReleaseGround;
}

/** One release under way: sets a split, reads it back, waits while it looks whether all is as it left it. */
class Release {
  readonly #parts: ReleaseParts;
  /** The shares that the directory has, as far as is known. */
  #stands: Shares;
  /** Whether somebody else has changed them. */
  #taken = false;

  constructor(parts: ReleaseParts) {
    this.#parts = parts;
    this.#stands = parts.ground.shares;
  }

  async showUnchanged(): Promise<void> {
    const { terminal } = this.#parts.context;
    terminal.note("the shares are so already; nothing is changed");
    await this.#show(this.#parts.ground.now, 0, 0);
    await this.#refuseOtherStores();
  }

  async run(plan: readonly Split[]): Promise<void> {
    const { context, request } = this.#parts;
    const { clock, signal, terminal } = context;
    this.#announce(plan);
    const startMs = clock.now();
    const intervalMs = request.overMs / Math.max(1, plan.length - 1);
    const progress = terminal.progress(`releasing ${request.group}.${request.member}`);
    try {
      for (const [index, split] of plan.entries()) {
        progress.update(`${index} of ${plan.length} steps`);
        if (index > 0) await this.#waitUntil(startMs + index * intervalMs);
        if (signal.aborted) throw servingError("CANCELLED", "stopped between two steps");
        await this.#set(split);
        await this.#show(split, index + 1, plan.length);
        // Where the first step shows, the others do as well.
        if (index === 0) await this.#refuseOtherStores();
      }
    } catch (thrown) {
      this.#tellWhereItStands(progress);
      throw thrown;
    } finally {
      progress.done();
    }
    this.#tellWhatIsLeft(plan.at(-1) ?? new Map());
  }

  #announce(plan: readonly Split[]): void {
    const { request, ground, client, context } = this.#parts;
    const { group, member, percent, overMs } = request;
    const { now, goal, members } = ground;
    const { terminal } = context;
    const from = percentText(now.get(member) ?? 0);
    const steps =
      plan.length === 1 ? "at once" : `in ${plan.length} steps within ${overMs / 1_000} s`;
    terminal.note(
      `${group} at directory ${client.directory}: ${member} from ${from} to ${percentText(percent)}, ${steps}`,
    );
    if (ground.shares.size === 0) terminal.note(`${group} is shared out for the first time`);
    const others = [...now].filter(([each]) => each !== member);
    if (percent < 100 && others.every(([, share]) => share === 0)) {
      const each = `${goal.evenTo.join(", ")}${goal.evenTo.length > 1 ? ", evenly" : ""}`;
      terminal.note(`no other member has a share now: the rest goes to ${each}`);
    }
    const end = plan.at(-1);
    for (const { member: each, list } of members) {
      if ((end?.get(each) ?? 0) === 0 || liveCount(list) > 0) continue;
      terminal.note(`${each} has no instance with a weight: its share goes to the others`);
    }
  }

  async #set(split: Split): Promise<void> {
    const { client, request } = this.#parts;
    const { group } = request;
    // Without the signal: whether it has been set must be known.
    const before = this.#stands;
    const expected = { shares: new Map(before) };
    try {
      await client.call(setTrafficRpc, { group, shares: new Map(split), expected });
    } catch (thrown) {
      if (ServingError.from(thrown).code !== Status.ABORTED) throw thrown;
      throw this.#takenBy(await this.#readShares(), before);
    }
    this.#stands = split;
    await this.#readBack(split, before);
  }

  /**
   * Reads what has been set; another replica of the directory may not have seen it yet.
   *
   * @throws CallError when it is something else
   */
  async #readBack(split: Split, before: Shares): Promise<void> {
    const shares = await shownWithin(
      () => this.#readShares(),
      (seen) => sameShares(seen, split) || !sameShares(seen, before),
      this.#parts.context.clock,
    );
    if (!sameShares(shares, split)) throw this.#takenBy(shares, split);
  }

  async #refuseOtherStores(): Promise<void> {
    const { client, request, context } = this.#parts;
    const { group } = request;
    const stands = this.#stands;
    const thing = {
      what: `${group} at ${splitText(splitOf(stands))}`,
      service: group,
      shows: (list: ListedService | undefined) => sameShares(list?.shares ?? new Map(), stands),
    };
    await refuseOtherStores(client, thing, context);
  }

  async #readShares(): Promise<Shares> {
    const { client, request } = this.#parts;
    return (await readService(client, request.group))?.shares ?? new Map();
  }

  #takenBy(shares: Shares, expected: Shares): Error {
    this.#stands = shares;
    this.#taken = true;
    const { group } = this.#parts.request;
    return servingError(
      "CALL_FAILED",
      `ABORTED (CALL_FAILED): the shares of ${group} are ${splitText(splitOf(shares))}, expected ${splitText(expected)} as this release has set them: somebody else has changed them; nothing more is done`,
      { code: Status.ABORTED },
    );
  }

  /** Waits for the next step, and looks every now and then whether the shares and the member's instances are still there. */
  async #waitUntil(atMs: number): Promise<void> {
    const { context } = this.#parts;
    const { clock, signal } = context;
    do {
      await waitFor(Math.max(0, Math.min(LOOK_MS, atMs - clock.now())), context);
      if (signal.aborted) return;
      await this.#look();
    } while (clock.now() < atMs);
  }

  async #look(): Promise<void> {
    const { client, request, ground } = this.#parts;
    const { group, member, percent, force } = request;
    const shares = await this.#readShares();
    if (!sameShares(shares, this.#stands)) throw this.#takenBy(shares, this.#stands);
    const rising = percent > (ground.now.get(member) ?? 0);
    if (force || !rising) return;
    if (liveCount(await readService(client, `${group}.${member}`)) > 0) return;
    throw servingError(
      "NO_INSTANCE",
      `${group}.${member} has lost its last listed instance with a weight above 0; stopped`,
    );
  }

  async #show(split: Split, step: number, steps: number): Promise<void> {
    const { client, request, context } = this.#parts;
    const { group } = request;
    const names = [...split.keys()].map((member) => `${group}.${member}`);
    const members = await readMembers(client, group, { shares: split, names });
    const at = new Date(context.clock.now()).toISOString();
    const shares = members.map(({ member, service, list }) => ({
      member,
      service,
      percent: split.get(member) ?? 0,
      withWeight: liveCount(list),
      listed: list?.instances.length ?? 0,
    }));
    const texts = shares.map(
      (each) =>
        `${each.member} ${percentText(each.percent)} (${each.withWeight} ${each.withWeight === 1 ? "instance" : "instances"})`,
    );
    context.terminal.result(
      { at, directory: client.directory, group, step, steps, shares },
      `${at} ${texts.join(", ")}`,
    );
  }

  #tellWhereItStands(progress: Progress): void {
    progress.done();
    const { request, context } = this.#parts;
    const { group } = request;
    const stands = splitText(splitOf(this.#stands));
    const back = this.#taken ? undefined : this.#wayBack();
    context.terminal.aside(
      { group, stands: Object.fromEntries(this.#stands), back: back ?? null },
      `${group} stands at ${stands}${back === undefined ? "" : `; to go back: ${back}`}`,
    );
  }

  /** The command that gives the member what it had; undefined where the directory cannot be told to. */
  #wayBack(): string | undefined {
    const { request, flags, ground } = this.#parts;
    const { group, member } = request;
    const before = Number((ground.now.get(member) ?? 0).toFixed(9));
    if (before < 100 && ground.goal.evenTo.length === 0) return undefined;
    const at = flags.directory === undefined ? "" : ` --directory ${flags.directory}`;
    return `inferwire directory release ${group} --to ${member} --percent ${before}${at}`;
  }

  #tellWhatIsLeft(goal: Split): void {
    const { ground, context } = this.#parts;
    const drained = [...ground.now].flatMap(([member, before]) =>
      before > 0 && (goal.get(member) ?? 0) === 0 ? [member] : [],
    );
    if (drained.length === 0) return;
    context.terminal.note(
      `${drained.join(", ")} ${drained.length === 1 ? "gets" : "get"} no new calls; those under way are finished`,
    );
  }
}

/** Whether two lists of shares say the same; who is not named has none. */
function sameShares(a: Shares, b: Shares): boolean {
  return [...new Set([...a.keys(), ...b.keys()])].every(
    (member) => Math.abs((a.get(member) ?? 0) - (b.get(member) ?? 0)) < 1e-8,
  );
}

function splitText(split: Split): string {
  const parts = [...split].map(([member, percent]) => `${member} ${percentText(percent)}`);
  return parts.length === 0 ? "nothing shared out" : parts.join(", ");
}
