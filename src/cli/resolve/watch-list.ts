import type { ResolvedChannelOptions } from "../../client/client-options.js";
import { silentLogger } from "../../core/ports.js";
import { ServingError } from "../../core/serving-error.js";
import type { Snapshot } from "../../core/snapshot.js";
import { createSource } from "../../resolve/create-source.js";
import type { SourceListener } from "../../resolve/source.js";
import type { CliContext } from "../command.js";
import { errorJson } from "../error-json.js";
import { printableLine } from "../printable.js";
import { waitFor } from "../wait.js";
import { type AskHealth, servingCount } from "./ask-health.js";
import { instanceChanges, sharesOf } from "./instance-changes.js";
import {
  changeJson,
  changeText,
  healthJson,
  healthSummary,
  healthText,
  listJson,
  listText,
  type ShownList,
  seconds,
  stalenessJson,
  stalenessText,
} from "./list-text.js";

const LONG_MS = 60 * 60 * 1_000;

/**
 * Shows changes until the command is stopped; the source's errors are shown, and it goes on trying.
 *
 * @param askHealth - where it is given, health is asked for after every change
 */
export async function watchList(
  options: ResolvedChannelOptions,
  context: CliContext,
  askHealth: AskHealth | undefined,
): Promise<void> {
  const { clock, signal } = context;
  const { target, pollIntervalMs, directoryToken, directoryTls } = options;
  const source = createSource(target, {
    clock,
    random: Math.random,
    logger: silentLogger,
    pollIntervalMs,
    directoryToken,
    directoryTls,
  });
  source.start(new ChangeLines(context, askHealth));
  // Sources do not keep a command alive.
  while (!signal.aborted) await waitFor(LONG_MS, context);
  await source.close();
}

/** Writes down what a source tells. */
class ChangeLines implements SourceListener {
  readonly #context: CliContext;
  readonly #askHealth: AskHealth | undefined;
  #last: Snapshot | undefined;
  #staleSinceMs: number | undefined;
  /** What the source said last, while it fails. */
  #failure: string | undefined;
  #asking = false;
  #asked: Snapshot | undefined;

  constructor(context: CliContext, askHealth: AskHealth | undefined) {
    this.#context = context;
    this.#askHealth = askHealth;
  }

  onSnapshot(snapshot: Snapshot): void {
    const before = this.#last;
    const wasStaleSinceMs = this.#staleSinceMs;
    const now = this.#context.clock.now();
    this.#last = snapshot;
    this.#staleSinceMs = snapshot.stale ? (wasStaleSinceMs ?? now) : undefined;
    this.#failure = undefined;
    if (before === undefined) this.#showFirst(snapshot);
    else this.#showChanges(before, snapshot, wasStaleSinceMs);
    this.#showHealth().catch((thrown: unknown) => this.onError(ServingError.from(thrown)));
  }

  onConfirmed(snapshot: Snapshot): void {
    this.#last = snapshot;
    this.#failure = undefined;
  }

  onError(error: ServingError): void {
    // It tries again and again; the same words need not be said as often.
    if (error.message === this.#failure) return;
    this.#failure = error.message;
    const at = this.#time();
    const list = this.#shown();
    const stale = list === undefined ? "" : `; ${stalenessText(list)}`;
    this.#context.terminal.fail(
      { at, ...errorJson(error), ...(list === undefined ? {} : stalenessJson(list)) },
      `${at} ${printableLine(error.message)} (${error.reason}); trying on${stale}`,
    );
  }

  #time(): string {
    return new Date(this.#context.clock.now()).toISOString();
  }

  #shown(): ShownList | undefined {
    const snapshot = this.#last;
    if (snapshot === undefined) return undefined;
    return { snapshot, nowMs: this.#context.clock.now(), staleSinceMs: this.#staleSinceMs };
  }

  #showFirst(snapshot: Snapshot): void {
    const { terminal, clock } = this.#context;
    const list = { snapshot, nowMs: clock.now(), staleSinceMs: this.#staleSinceMs };
    terminal.result({ at: this.#time(), change: "list", ...listJson(list) }, listText(list));
  }

  #showChanges(before: Snapshot, snapshot: Snapshot, wasStaleSinceMs: number | undefined): void {
    const { terminal, clock } = this.#context;
    const at = this.#time();
    const nowMs = clock.now();
    const shares = sharesOf(snapshot.instances);
    for (const change of instanceChanges(before, snapshot)) {
      if ("instance" in change) {
        terminal.result(changeJson(at, change, shares), `${at} ${changeText(change, shares)}`);
        continue;
      }
      const list = { snapshot, nowMs, staleSinceMs: this.#staleSinceMs };
      const after =
        wasStaleSinceMs === undefined ? "" : ` after ${seconds(nowMs - wasStaleSinceMs)}`;
      terminal.result(
        { ...changeJson(at, change, shares), ...stalenessJson(list) },
        `${at} ${change.change === "stale" ? stalenessText(list) : `fresh again${after}`}`,
      );
    }
  }

  /** Asks for the health of the latest list; while an earlier one is asked, the latest waits for its turn. */
  async #showHealth(): Promise<void> {
    const ask = this.#askHealth;
    if (ask === undefined || this.#asking) return;
    this.#asking = true;
    const { signal } = this.#context;
    try {
      while (
        !signal.aborted &&
        this.#last !== undefined &&
        this.#asked?.version !== this.#last.version
      ) {
        const snapshot = this.#last;
        this.#asked = snapshot;
        await this.#showHealthOf(snapshot, ask);
      }
    } finally {
      this.#asking = false;
    }
  }

  async #showHealthOf(snapshot: Snapshot, ask: AskHealth): Promise<void> {
    const { terminal, signal } = this.#context;
    const health = await ask(snapshot);
    if (signal.aborted) return;
    const at = this.#time();
    const { byKey, leftOut } = health;
    const asked = snapshot.instances.filter(({ key }) => byKey.has(key));
    const instances = asked.map(({ name, key }) => ({
      name,
      address: key,
      health: healthJson(byKey.get(key)),
    }));
    const others = asked
      .filter(({ key }) => byKey.get(key)?.status !== "serving")
      .map(({ name, key }) => {
        const who = name === key ? key : `${name} ${key}`;
        return `\n  ${printableLine(who)}: ${healthText(byKey.get(key))}`;
      });
    terminal.result(
      { at, change: "health", serving: servingCount(health), leftOut, instances },
      `${at} health: ${healthSummary(health)}${others.join("")}`,
    );
  }
}
