import { openChannel } from "inferwire/client";
import { type Bar, type Counts, never } from "../../src/cli/chaos/report.js";
import { pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { p99BelowMs } from "./bars.js";
import { CallLoop } from "./call-loop.js";
import { startEchoHosts } from "./echo-hosts.js";
import type { Registry } from "./registry.js";

/** How often each kind of change is made. */
export interface RerouteSize {
  readonly rounds: number;
}

export const rerouteSizes: { readonly full: RerouteSize; readonly small: RerouteSize } = {
  full: { rounds: 250 },
  small: { rounds: 5 },
};

/** The kinds of changes, in the order in which a round makes them. */
const kinds = ["joins", "weight to 0", "weight from 0", "leaves"] as const;
type Kind = (typeof kinds)[number];

/** Those of an engine without weights. */
const unweighted: readonly Kind[] = ["joins", "leaves"];

/** How long clients went on as if nothing had changed. */
export interface RerouteFigures {
  readonly engine: string;
  /** Milliseconds from the acknowledgement of a change to the first call that went another way because of it. */
  readonly afterMs: ReadonlyMap<Kind, readonly number[]>;
  /** Changes that no call ever followed. */
  readonly missed: number;
  readonly outcomes: Counts;
}

/** One is always listed, the others come and go. */
const HOSTS = 4;
const PER_SECOND = 250;
/** Nobody goes to an instance any more when so many calls in a row went elsewhere; with half of the weight it gets every second one. */
const CALLS_ELSEWHERE = 30;
const GIVE_UP_MS = 10_000;
const LIMIT_MS = 250;

/** Changes what an engine lists, again and again, while a client calls without a pause. */
export async function runReroute(
  engine: string,
  open: () => Promise<Registry>,
  size: RerouteSize,
  { random, print }: ProofPorts,
): Promise<RerouteFigures> {
  await using registry = await open();
  await using hosts = await startEchoHosts(HOSTS);
  const [always = "", ...others] = hosts.keys;
  await registry.join(always);
  await using channel = openChannel({ target: registry.target });
  await channel.ready();
  const loop = new CallLoop(channel, PER_SECOND);
  const afterMs = new Map<Kind, number[]>(
    (registry.weigh === undefined ? unweighted : kinds).map((kind) => [kind, []]),
  );
  let missed = 0;
  try {
    for (let round = 1; round <= size.rounds; round++) {
      const key = others[round % others.length] ?? "";
      for (const [kind, seenMs] of afterMs) {
        await pace.wait(random() * 50);
        await change(registry, kind, key);
        const ms =
          kind === "joins" || kind === "weight from 0"
            ? await firstCallTo(loop, key)
            : await lastCallTo(loop, key);
        if (ms === undefined) missed++;
        else seenMs.push(ms);
      }
      if (round % 50 === 0) print(`  ${engine}: ${round} rounds, ${loop.outcomes}`);
    }
  } finally {
    await loop.stop();
  }
  return { engine, afterMs, missed, outcomes: loop.outcomes };
}

async function change(registry: Registry, kind: Kind, key: string): Promise<void> {
  switch (kind) {
    case "joins":
      return registry.join(key);
    case "weight to 0":
      return registry.weigh?.(key, 0);
    case "weight from 0":
      return registry.weigh?.(key, 100);
    case "leaves":
      // With weight it leaves while calls go to it.
      return registry.leave(key);
  }
}

/** Milliseconds from now to the first answer of an instance. */
export async function firstCallTo(loop: CallLoop, key: string): Promise<number | undefined> {
  const nowMs = performance.now();
  const first = (): number | undefined =>
    loop.since(nowMs).find((call) => call.instance === key)?.endedMs;
  await pace.until(() => first() !== undefined, GIVE_UP_MS);
  const endedMs = first();
  return endedMs === undefined ? undefined : endedMs - nowMs;
}

/** Milliseconds from now to the beginning of the first call after the last one that goes to an instance. */
async function lastCallTo(loop: CallLoop, key: string): Promise<number | undefined> {
  const nowMs = performance.now();
  const over = (): boolean => {
    const last = loop.since(nowMs).slice(-CALLS_ELSEWHERE);
    return last.length === CALLS_ELSEWHERE && last.every((call) => call.instance !== key);
  };
  if (!(await pace.until(over, GIVE_UP_MS))) return undefined;
  const calls = loop.since(nowMs).toSorted((a, b) => a.beganMs - b.beganMs);
  const first = calls[calls.findLastIndex((call) => call.instance === key) + 1];
  return first === undefined ? undefined : first.beganMs - nowMs;
}

/** What has to hold. */
export function rerouteBars({ engine, afterMs, missed, outcomes }: RerouteFigures): readonly Bar[] {
  return [
    ...[...afterMs].map(([kind, seenMs]) =>
      p99BelowMs(`${engine}: ${kind}, to the first re-routed call`, LIMIT_MS, seenMs),
    ),
    never(`${engine}: changes that no call followed`, missed),
    never(`${engine}: failed calls`, outcomes.beyond(["OK"]), outcomes.total),
  ];
}
