import { expect, it } from "vitest";
import { InstanceList } from "../../../../src/client/pool/instance-list.js";
import type { Reason } from "../../../../src/core/error-catalog.js";
import { instanceOf } from "../../../../src/core/instance.js";
import { silentLogger } from "../../../../src/core/ports.js";
import { servingError } from "../../../../src/core/serving-error.js";
import type { SourceListener } from "../../../../src/resolve/source.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const instances = [instanceOf({ host: "10.0.0.1", port: 80 })];

it("says once that its source fails, and once that it works again when it has for 3 s", async () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (_: object, message: string) => lines.push(message),
    info: (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`),
  };
  const listeners: SourceListener[] = [];
  const source = {
    name: "test",
    service: "mnist",
    start: (listener: SourceListener) => listeners.push(listener),
    close: () => Promise.resolve(),
  };
  const list = new InstanceList(source, { logger, clock }, () => {});
  list.start();
  let version = 0;
  const tell = (stale: boolean): void => {
    version += 1;
    const snapshot = { version, service: "mnist", source: "test", confirmedAtMs: 0, rejected: 0 };
    listeners[0]?.onSnapshot({ ...snapshot, stale, instances });
  };
  const fail = (reason: Reason): void => {
    tell(true);
    listeners[0]?.onError(servingError(reason, reason));
  };
  tell(false);
  for (let second = 0; second < 4; second++) {
    fail("DIRECTORY_FAILED");
    fail("UPSTREAM_MALFORMED");
    await clock.settle(500);
    tell(false);
    expect(list.lastError).toBeUndefined();
    await clock.settle(500);
  }
  const warnings = ["DIRECTORY_FAILED", "UPSTREAM_MALFORMED"];
  expect(lines).toEqual(warnings);
  await clock.settle(2_500);
  const again = 'list is fresh again {"source":"test","afterMs":3500}';
  expect(lines).toEqual([...warnings, again]);
  fail("DIRECTORY_FAILED");
  expect(lines).toEqual([...warnings, again, "DIRECTORY_FAILED"]);
  tell(false);
  await list.close();
  expect(clock.pending()).toEqual([]);
});
