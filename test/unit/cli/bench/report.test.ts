import { describe, expect, it } from "vitest";
import { escapeHtml } from "../../../../src/cli/bench/html.js";
import { compareRuns } from "../../../../src/cli/bench/judge.js";
import { reportHtml } from "../../../../src/cli/bench/report.js";
import { resultText } from "../../../../src/cli/bench/result-text.js";
import { benchRun } from "../../../support/bench-runs.js";

const evil = `"><script>alert('1')</script>&\u0000`;

/** What of a page reaches out of it. */
const outside =
  /<(script|link|img|iframe|object|embed|base)\b|\b(src|href|srcset|action)\s*=|url\(|@import|\bon\w+\s*=/i;

describe("reportHtml", () => {
  it("is one page without script and without anything from elsewhere", () => {
    const before = benchRun({});
    const after = benchRun({ p50: 1_500 });
    const comparison = compareRuns(before, after);
    for (const page of [
      reportHtml(after, undefined),
      reportHtml(after, { before, comparison }),
      reportHtml(benchRun({ seconds: 0 }), undefined),
      reportHtml(benchRun({ seconds: 1 }), undefined),
    ]) {
      expect(page).not.toMatch(outside);
      expect(page).not.toContain("http://");
      expect(page).not.toContain("https://");
      expect(page).toContain("default-src 'none'");
      expect(page).toContain("prefers-color-scheme: dark");
      expect(page).not.toMatch(/NaN|Infinity|undefined/);
      expect(page.match(/<svg/g)).toHaveLength(3);
    }
    expect(reportHtml(after, { before, comparison })).toContain(comparison.statement);
  });

  it("shows texts of others as texts", () => {
    const run = { ...benchRun({ target: evil, message: evil }), warnings: [evil] };
    const page = reportHtml(run, { before: run, comparison: compareRuns(benchRun({}), run) });
    expect(page).not.toMatch(outside);
    expect(page).not.toContain("<script");
    expect(page).toContain("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\ufffd");
  });

  it("draws a line a series, a point a second", () => {
    const page = reportHtml(benchRun({ seconds: 12 }), undefined);
    const lines = [...page.matchAll(/<polyline class="line k(\d)" points="([^"]*)"/g)];
    expect(lines.map(([, , points]) => points?.split(" ").length)).toEqual([12, 12, 12, 3, 12, 12]);
  });

  it("takes the points of the longest run", () => {
    expect(reportHtml(benchRun({ seconds: 3_600 }), undefined)).toContain("<svg");
  });
});

describe("escapeHtml", () => {
  it("leaves text alone", () => {
    expect(escapeHtml("p99 of ü, 2 + 2\n\t")).toBe("p99 of ü, 2 + 2\n\t");
  });
});

describe("resultText", () => {
  it("shows calls, percentiles, errors, instances and the comparison", () => {
    const run = benchRun({ message: "no room" });
    const text = resultText(run, compareRuns(benchRun({}), run));
    expect(text).toContain("a.v1.Echo/Say on 127.0.0.1:1");
    expect(text).toMatch(/succeeded +1,980, 99 a second/);
    expect(text).toMatch(/p99\.9 +3\.00 ms/);
    expect(text).toMatch(/UNAVAILABLE CALL_REFUSED +20 +no room/);
    expect(text).toMatch(/127\.0\.0\.1:1 +2,000 +100\.0 % +20/);
    expect(text).toContain("within noise");
  });

  it("labels a closed loop as what it is", () => {
    const open = benchRun({});
    const settings = { ...open.settings, loop: "closed" as const, maxInFlight: 8 };
    const text = resultText({ ...open, settings }, undefined);
    expect(text).toContain(
      "CLOSED loop, 8 calls in progress: waiting for a slow service is hidden",
    );
    expect(text).not.toContain("from when due");
  });
});
