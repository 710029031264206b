import { expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { createDropLog } from "../../../src/server/drop-log.js";
import { createFakeClock } from "../../support/fake-clock.js";

it("logs the first refused connection at once, and those that follow together", () => {
  const clock = createFakeClock();
  const refused: unknown[] = [];
  const logger = {
    ...silentLogger,
    warn: (fields: object) => refused.push((fields as { refused: number }).refused),
  };
  const dropped = createDropLog(10, clock, logger);
  dropped();
  expect(refused).toEqual([1]);
  for (let i = 0; i < 1_000; i++) dropped();
  expect(refused).toEqual([1]);
  clock.advance(10_000);
  expect(refused).toEqual([1, 1_000]);
  clock.advance(60_000);
  expect([refused, clock.pending()]).toEqual([[1, 1_000], []]);
  dropped();
  expect(refused).toEqual([1, 1_000, 1]);
});
