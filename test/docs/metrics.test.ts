import { describe, expect, it } from "vitest";
import { hostTransitions } from "../../src/host/host-state.js";
import { metricFamilies } from "../../src/host/metric-families.js";
import { pageText, tableBelow } from "../support/markdown.js";

const text = pageText("docs/host.md");

describe("docs/host.md, metrics", () => {
  it("says of every family what the code says, and names no other", () => {
    expect(tableBelow(text, "## Metrics")).toEqual(
      metricFamilies.map(({ name, type, labels, help }) => [
        `\`${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(", "),
        help,
      ]),
    );
  });

  it("names every state of a host", () => {
    expect(tableBelow(text, "## States and health").map(([state]) => state)).toEqual(
      Object.keys(hostTransitions).map((state) => `\`${state}\``),
    );
  });
});
