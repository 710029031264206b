import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { kubernetesFiles } from "../../src/cli/init/kubernetes-files.js";
import { pageText } from "../support/markdown.js";

const written = Object.entries(kubernetesFiles({ packageName: "sentiment" }));
const page = pageText("examples/kubernetes/README.md");

describe("examples/kubernetes", () => {
  it("has what inferwire init writes, and a page that names each file", () => {
    const names = written.map(([path]) => basename(path));
    expect(readdirSync("examples/kubernetes").sort()).toEqual(["README.md", ...names].sort());
    for (const name of names) expect(page).toContain(`[${name}](${name})`);
  });

  it.each(written)("has %s word for word", (path, text) => {
    expect(pageText(`examples/kubernetes/${basename(path)}`)).toBe(text);
  });

  it("tells of no number that is not in the manifests", () => {
    const deployment = pageText("examples/kubernetes/deployment.yaml");
    for (const [told, line] of [
      ["for 5 s the pod answers as ever", "seconds: 5\n"],
      ["serves for another 5 s", 'value: "5000"'],
      ["Calls in progress have 30 s", 'value: "30000"'],
      ["at the latest 45 s after", "terminationGracePeriodSeconds: 45"],
      ["Five seconds later (`minReadySeconds`)", "minReadySeconds: 5"],
    ] as const) {
      expect(page).toContain(told);
      expect(deployment).toContain(line);
    }
  });
});
