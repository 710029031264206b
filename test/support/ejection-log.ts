import type { AttemptSign } from "../../src/client/pool/attempt-sign.js";
import { Ejection } from "../../src/client/pool/ejection.js";
import { ejectionDefaults, type ResolvedEjection } from "../../src/client/pool-options.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";

/** An ejection on a fake clock, and what it has told. */
export interface LoggedEjection {
  readonly ejection: Ejection;
  readonly clock: FakeClock;
  /** Who is listed, with a weight. */
  readonly listed: Set<string>;
  /** Who of them cannot be picked, whatever was judged. */
  readonly facts: Set<string>;
  /** `"a out failures 10000"`, `"a back"`. */
  readonly told: string[];
  /** Who is out, by what was told. */
  readonly out: Set<string>;
  /** So many attempts end so, one after the other. */
  end(key: string, sign: AttemptSign, times?: number, durationMs?: number): void;
}

/** Makes an ejection whose times out are not drawn: `random` 0.5 is the middle. */
export function loggedEjection(
  keys: Iterable<string>,
  settings: Partial<ResolvedEjection> = {},
  random: () => number = () => 0.5,
): LoggedEjection {
  const clock = createFakeClock();
  const listed = new Set(keys);
  const facts = new Set<string>();
  const told: string[] = [];
  const out = new Set<string>();
  const ejection = new Ejection(
    { ...ejectionDefaults, ...settings },
    {
      clock,
      random,
      inRotation: () => [...listed].filter((key) => !out.has(key) && !facts.has(key)).length,
      isWeighted: (key) => listed.has(key),
      onOut: (key, cause, forMs) => {
        if (out.has(key)) throw new Error(`${key} is out already`);
        out.add(key);
        told.push(`${key} out ${cause} ${forMs}`);
      },
      onBack: (key) => {
        if (!out.delete(key)) throw new Error(`${key} was not out`);
        told.push(`${key} back`);
      },
    },
  );
  return {
    ejection,
    clock,
    listed,
    facts,
    told,
    out,
    end(key, sign, times = 1, durationMs = 10) {
      for (let time = 0; time < times; time++) ejection.ended(key, sign, durationMs);
    },
  };
}
