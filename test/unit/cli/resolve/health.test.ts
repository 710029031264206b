import { expect, it } from "vitest";
import { healthOf } from "../../../../src/cli/resolve/health.js";
import { instanceOf } from "../../../../src/core/instance.js";
import { emptyMetadata } from "../../../../src/core/metadata.js";
import { createFakeClock } from "../../../support/fake-clock.js";

it("tells of an instance that cannot even be connected to, and does not throw", async () => {
  const found = await healthOf([instanceOf({ host: "10.0.0.1", port: 80 })], {
    connect: () => {
      throw new Error("no usable certificate");
    },
    metadata: emptyMetadata,
    clock: createFakeClock(),
    signal: new AbortController().signal,
  });
  expect(found.get("10.0.0.1:80")).toMatchObject({
    status: "unreachable",
    why: "no usable certificate",
  });
});
