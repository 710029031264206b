import { resolveChannelOptions } from "../../client/resolve-options.js";
import type { Instance } from "../../core/instance.js";
import { type Clock, silentLogger } from "../../core/ports.js";
import type { Snapshot } from "../../core/snapshot.js";
import { createSource } from "../../resolve/create-source.js";
import { channelOptionsOf, usesTls } from "../channel-flags.js";
import type { CliContext } from "../command.js";
import { errorJson } from "../error-json.js";
import { printableLine } from "../printable.js";
import { textTable } from "../text-table.js";
import { withChannel } from "../with-channel.js";
import type { ResolveFlags } from "./flags.js";
import { type InstanceChange, instanceChanges, sharesOf } from "./instance-changes.js";

/** Runs `inferwire resolve`. */
export async function runResolve(
  target: string,
  flags: ResolveFlags,
  context: CliContext,
): Promise<void> {
  // No instance is called here: what is said of TLS is meant for those who list them.
  const meant = usesTls(flags) ? { ...flags, directoryTls: true } : flags;
  if (flags.watch === true) {
    return await watch(
      resolveChannelOptions(await channelOptionsOf(target, meant, context)),
      context,
    );
  }
  const { terminal, clock } = context;
  await withChannel(target, meant, context, async ({ snapshot }) => {
    terminal.result(snapshotJson(snapshot, clock), snapshotText(snapshot, clock));
  });
}

/** Shows changes until the command is stopped; the source's errors are shown, and it goes on trying. */
async function watch(
  options: ReturnType<typeof resolveChannelOptions>,
  { terminal, clock, signal }: CliContext,
): Promise<void> {
  const { target, pollIntervalMs, directoryToken, directoryTls } = options;
  const source = createSource(target, {
    clock,
    random: Math.random,
    logger: silentLogger,
    pollIntervalMs,
    directoryToken,
    directoryTls,
  });
  let last: Snapshot | undefined;
  let failure: string | undefined;
  const time = (): string => new Date(clock.now()).toISOString();
  source.start({
    onSnapshot(snapshot) {
      const changes = instanceChanges(last, snapshot);
      if (last === undefined) {
        terminal.result(
          { at: time(), change: "list", ...snapshotJson(snapshot, clock) },
          snapshotText(snapshot, clock),
        );
      } else {
        const shares = sharesOf(snapshot.instances);
        for (const change of changes) {
          terminal.result(
            changeJson(time(), change, shares),
            `${time()} ${changeText(change, shares)}`,
          );
        }
      }
      last = snapshot;
      failure = undefined;
    },
    onConfirmed() {
      failure = undefined;
    },
    onError(error) {
      // It tries again and again; the same words need not be said as often.
      if (error.message === failure) return;
      failure = error.message;
      terminal.fail(
        { at: time(), ...errorJson(error) },
        `${time()} ${printableLine(error.message)} (${error.reason}); trying on`,
      );
    },
  });
  await stopped(signal, clock);
  await source.close();
}

/** Waits for the end, and keeps the command alive until then: sources do not. */
async function stopped(signal: AbortSignal, clock: Clock): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    let letGo = (): void => {};
    const hold = (): void => {
      letGo = clock.after(LONG_MS, hold);
    };
    hold();
    signal.addEventListener(
      "abort",
      () => {
        letGo();
        resolve();
      },
      { once: true },
    );
  });
}

const LONG_MS = 60 * 60 * 1_000;

function snapshotJson(snapshot: Snapshot, clock: Clock): object {
  const { service, source, version, stale, rejected, instances } = snapshot;
  const shares = sharesOf(instances);
  return {
    service,
    source,
    version,
    ageMs: ageMs(snapshot, clock),
    stale,
    rejected,
    instances: instances.map((instance) => instanceJson(instance, shares)),
  };
}

function instanceJson(instance: Instance, shares: ReadonlyMap<string, number>): object {
  const { key, name, host, port, weight, app } = instance;
  return { name, address: key, host, port, weight, sharePercent: shares.get(key), app };
}

function snapshotText(snapshot: Snapshot, clock: Clock): string {
  const { service, source, version, stale, rejected, instances } = snapshot;
  const seconds = (ageMs(snapshot, clock) / 1_000).toFixed(1);
  const notes = [
    `version ${version}`,
    `confirmed ${seconds} s ago`,
    ...(stale ? ["stale: the source has failed since"] : []),
    ...(rejected > 0 ? [`${rejected} items that made no sense left out`] : []),
  ].join(", ");
  const title = `${service} from ${source}: ${instances.length} ${instances.length === 1 ? "instance" : "instances"} (${notes})`;
  if (instances.length === 0) return title;
  const shares = sharesOf(instances);
  const rows = instances.map(({ key, name, weight, app }) => [
    name,
    key,
    String(weight),
    `${shares.get(key)} %`,
    app,
  ]);
  return [title, ...textTable([["NAME", "ADDRESS", "WEIGHT", "SHARE", "APP"], ...rows])].join("\n");
}

function changeJson(
  at: string,
  change: InstanceChange,
  shares: ReadonlyMap<string, number>,
): object {
  if (!("instance" in change)) return { at, ...change };
  const { instance, ...rest } = change;
  return { at, ...rest, instance: instanceJson(instance, shares) };
}

function changeText(change: InstanceChange, shares: ReadonlyMap<string, number>): string {
  if (!("instance" in change)) {
    return change.change === "stale" ? "stale: the source has failed" : "fresh again";
  }
  const { key, name, weight } = change.instance;
  const who = name === key ? key : `${name} ${key}`;
  switch (change.change) {
    case "added":
      return `added ${who}, weight ${weight}, ${shares.get(key)} %`;
    case "removed":
      return `removed ${who}`;
    case "weight":
      return `weight of ${who} ${change.before} -> ${weight}, ${shares.get(key)} %`;
    case "renamed":
      return `name of ${key} ${change.before} -> ${name}`;
  }
}

function ageMs({ confirmedAtMs }: Snapshot, clock: Clock): number {
  return Math.max(0, Math.round(clock.now() - confirmedAtMs));
}
