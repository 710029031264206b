import { describe, expect, it } from "vitest";
import { noAttempts } from "../../src/client/metrics/channel-metrics.js";
import { clientFamilies } from "../../src/client/metrics/client-families.js";
import { hostTransitions } from "../../src/host/host-state.js";
import { metricFamilies } from "../../src/host/metric-families.js";
import { pageText, tableBelow } from "../support/markdown.js";

const text = pageText("docs/host.md");

/** Rows of a table of families. */
function rowsOf(families: readonly (typeof metricFamilies | typeof clientFamilies)[number][]) {
  return families.map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(", "),
    help,
  ]);
}

describe("docs/host.md, metrics", () => {
  it("says of every family what the code says, and names no other", () => {
    expect(tableBelow(text, "## Metrics")).toEqual(rowsOf(metricFamilies));
  });

  it("names every state of a host", () => {
    expect(tableBelow(text, "## States and health").map(([state]) => state)).toEqual(
      Object.keys(hostTransitions).map((state) => `\`${state}\``),
    );
  });
});

describe("docs/metrics.md", () => {
  const page = pageText("docs/metrics.md");

  it("says of every family what the code says, and names no other", () => {
    expect(tableBelow(page, "## The page")).toEqual(rowsOf(clientFamilies));
  });

  it("names every outcome of an attempt", () => {
    expect(tableBelow(page, "## Outcomes").map(([outcome]) => outcome)).toEqual(
      Object.keys(noAttempts()).map((outcome) => `\`${outcome}\``),
    );
  });
});
