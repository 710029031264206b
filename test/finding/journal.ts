import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Bar, never } from "../../src/cli/chaos/report.js";
import { type Random, silentLogger, systemClock } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { openFileStore } from "../../src/directory/journal/file-store.js";
import type { DirectoryStore } from "../../src/directory/store.js";

/** How often the writer is killed. */
export const journalSizes: Readonly<Record<"full" | "small", Pick<JournalSize, "kills">>> = {
  full: { kills: 200 },
  small: { kills: 8 },
};

/** How the proof of the journal is run. */
export interface JournalSize {
  /** How often the writer is killed. */
  readonly kills: number;
  readonly seed: number;
}

/** What the proof of the journal has seen. */
export interface JournalFigures {
  readonly kills: number;
  /** Writes that were acknowledged before a kill. */
  readonly acknowledged: number;
  /** Acknowledged writes that a reopened journal did not have. */
  readonly missing: number;
  /** Things that were never written so: half of a change, or one that nobody made. */
  readonly half: number;
  /** Times that a journal did not open. */
  readonly unopened: number;
  /** Times that an incomplete end was cut off, and its bytes. */
  readonly cuts: number;
  readonly cutBytes: number;
  /** Times that a kill left a file of a compaction behind, which was not finished. */
  readonly amidCompaction: number;
  /** Times that the journal was smaller after a life than before it. */
  readonly compacted: number;
}

const WRITERS = 8;
/** Kinds of things that the program writes, each with a count that says which write it was. */
const kinds = ["weight", "traffic", "held", "passing"] as const;
type Kind = (typeof kinds)[number];

const program = fileURLToPath(new URL("programs/journal-writer.mjs", import.meta.url));

const LONGEST_LIFE_MS = 400;
/** One kill in so many waits for a compaction to begin. */
const COMPACTION_EVERY = 4;
const LONGEST_WAIT_MS = 3_000;

/** Counts by kind and number of the writer. */
type Counts = Map<string, number>;

/**
 * Kills a process that writes to a journal as fast as it can, at random moments, and compares each time what the journal has with
 * what was acknowledged.
 */
export async function runJournal({ kills, seed }: JournalSize): Promise<JournalFigures> {
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "inferwire-journal-"));
  const path = join(folder, "journal");
  const figures = {
    kills: 0,
    acknowledged: 0,
    missing: 0,
    half: 0,
    unopened: 0,
    cuts: 0,
    cutBytes: 0,
    amidCompaction: 0,
    compacted: 0,
  };
  const known: Counts = new Map();
  let next = 2;
  try {
    for (; figures.kills < kills; figures.kills++) {
      const bytesBefore = sizeOf(path);
      const acknowledged = await writtenInOneLife(path, next, random);
      figures.acknowledged += acknowledged.lines;
      figures.amidCompaction += Number(existsSync(`${path}.new`));
      figures.compacted += Number(sizeOf(path) < bytesBefore);
      const warn = (fields: object): void => {
        figures.cuts += 1;
        figures.cutBytes += "bytes" in fields ? Number(fields.bytes) : 0;
      };
      const store = await openFileStore({
        path,
        clock: systemClock,
        logger: { ...silentLogger, warn },
      }).catch(() => undefined);
      if (store === undefined) {
        figures.unopened += 1;
        break;
      }
      const seen = compare(store, known, acknowledged.last, next);
      figures.missing += seen.missing;
      figures.half += seen.half;
      next = Math.max(...known.values()) + 2;
      next += next % 2;
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

/** What must hold. */
export function journalBars(figures: JournalFigures): readonly Bar[] {
  const { kills, acknowledged, missing, half, unopened, cuts, cutBytes } = figures;
  const { amidCompaction, compacted } = figures;
  const also = `${cuts} ends cut off, ${cutBytes} bytes; ${compacted} compactions, ${amidCompaction} killed in one`;
  return [
    never(`${kills} kills: acknowledged writes missing`, missing, acknowledged),
    never("half of a write, or one that nobody made", half),
    never(`times that it did not open (${also})`, unopened, kills),
  ];
}

/** Compares what a store has with what was acknowledged, and notes it as known. */
function compare(
  store: DirectoryStore,
  known: Counts,
  acknowledged: Counts,
  first: number,
): { readonly missing: number; readonly half: number } {
  let missing = 0;
  let half = 0;
  for (const thing of things()) {
    const told = acknowledged.get(thing);
    const before = told ?? known.get(thing) ?? 0;
    // Each writer waits for one write at a time, so only the next one may be there besides.
    const under = told === undefined ? first : told + 1;
    const found = foundIn(store, thing, before);
    if (found === "half" || (found > before && found !== under)) half += 1;
    else if (found < before) missing += 1;
    known.set(thing, found === "half" ? before : found);
  }
  return { missing, half };
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function things(): readonly string[] {
  return kinds.flatMap((kind) =>
    Array.from({ length: WRITERS }, (_, writer) => `${kind} ${writer}`),
  );
}

/** Starts a writer, kills it, and returns what it had been told by then. */
async function writtenInOneLife(
  path: string,
  first: number,
  random: Random,
): Promise<{ readonly lines: number; readonly last: Counts }> {
  const child = spawn(process.execPath, [program, path, String(first), String(WRITERS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (piece: string) => {
    text += piece;
  });
  const ended = new Promise<void>((resolve) => {
    child.stdout.on("close", resolve);
  });
  while (!text.startsWith("open\n") && child.exitCode === null) await sleep(1);
  if (Math.floor(random() * COMPACTION_EVERY) === 0) await compactionBegins(path, random);
  else await sleep(random() * LONGEST_LIFE_MS);
  child.kill("SIGKILL");
  await ended;
  const last: Counts = new Map();
  const lines = text.slice(0, text.lastIndexOf("\n")).split("\n").slice(1);
  for (const line of lines) {
    const space = line.lastIndexOf(" ");
    last.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return { lines: lines.length, last };
}

/** The file beside the journal that becomes the next one; it is there for a moment only. */
async function compactionBegins(path: string, random: Random): Promise<void> {
  const end = performance.now() + random() * LONGEST_WAIT_MS;
  while (!existsSync(`${path}.new`) && performance.now() < end) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The count of the write that a thing comes from. */
function foundIn(store: DirectoryStore, thing: string, before: number): number | "half" {
  const [kind, writer] = thing.split(" ") as [Kind, string];
  switch (kind) {
    case "traffic": {
      const { shares } = store.list(`group-${writer}`);
      const blue = shares.get("blue") ?? 0;
      const whole = shares.size === 0 || (shares.size === 2 && shares.get("green") === blue + 1);
      return whole ? blue : "half";
    }
    case "weight": {
      const name = `weight-${writer}`;
      const instance = store.list("journal").instances.find((one) => one.name === name);
      return instance?.registeredWeight === undefined ? 0 : instance.weight;
    }
    case "held": {
      const [instance, ...more] = store.list(`journal-held-${writer}`).instances;
      const whole =
        more.length === 0 && (instance?.port ?? 1 + Number(writer)) === 1 + Number(writer);
      return whole ? (instance?.weight ?? 0) : "half";
    }
    case "passing": {
      const [instance, ...more] = store.list(`journal-passing-${writer}`).instances;
      if (more.length > 0) return "half";
      if (instance !== undefined) return instance.weight;
      // Never there, or gone by the odd count at hand.
      return before === 0 || before % 2 === 1 ? before : before + 1;
    }
  }
}
