import { describe, expect, it } from "vitest";
import { dockerFiles } from "../../../../src/cli/init/docker-files.js";
import { kubernetesFiles } from "../../../../src/cli/init/kubernetes-files.js";
import { environmentVariables } from "../../../../src/host/environment-options.js";
import { hostDefaults } from "../../../../src/host/host-options.js";
import { HEALTH_PATHS } from "../../../../src/host/http-routes.js";
import { manifestVariables } from "../../../support/manifest-variables.js";

function manifest(file: string, packageName = "mood"): string {
  return kubernetesFiles({ packageName })[`kubernetes/${file}.yaml`] ?? "";
}

/** The number behind a key, where it stands first. */
function numberOf(text: string, key: string): number {
  return Number(new RegExp(`${key}: (\\d+)`).exec(text)?.[1]);
}

/** What stands below a key, deeper than it. */
function below(text: string, key: string): string {
  const [, indent = "", rest = ""] =
    new RegExp(`^( *)(?:- )?${key}:\\n((?:.|\\n)*)`, "m").exec(text) ?? [];
  const end = new RegExp(`^ {0,${indent.length}}\\S`, "m").exec(rest)?.index;
  return rest.slice(0, end);
}

const deployment = manifest("deployment");
const variables = manifestVariables(deployment);
const image = dockerFiles["Dockerfile"] ?? "";

describe("kubernetesFiles", () => {
  it("gives a pod as long as its parts take to end", () => {
    const spentMs =
      numberOf(below(deployment, "preStop"), "seconds") * 1_000 +
      Number(variables.get("INFERWIRE_PRE_STOP_DELAY_MS")) +
      Number(variables.get("INFERWIRE_TERMINATION_GRACE_PERIOD_MS"));
    // dispose() has two seconds at least.
    expect(numberOf(deployment, "terminationGracePeriodSeconds") * 1_000).toBeGreaterThan(
      spentMs + 2_000,
    );
  });

  it("serves for longer after SIGTERM than it takes to be seen as not ready", () => {
    const probe = below(deployment, "readinessProbe");
    const seenMs = numberOf(probe, "periodSeconds") * numberOf(probe, "failureThreshold") * 1_000;
    expect(Number(variables.get("INFERWIRE_PRE_STOP_DELAY_MS"))).toBeGreaterThan(seenMs);
  });

  it("lets the host replace a lane that hangs before the pod is ended", () => {
    const probe = below(deployment, "livenessProbe");
    const endedMs = numberOf(probe, "periodSeconds") * numberOf(probe, "failureThreshold") * 1_000;
    expect(endedMs).toBeGreaterThan(Number(hostDefaults.hangTimeoutMs));
  });

  it("asks for paths that the host has", () => {
    const asked = [...deployment.matchAll(/path: (\/\S+z)$/gm)].map(([, path]) => path);
    expect(new Set(asked)).toEqual(new Set(HEALTH_PATHS));
  });

  it("sets variables that the host knows, and mounts the file that one of them names", () => {
    const known = environmentVariables.map(({ variable }) => variable);
    expect(known).toEqual(expect.arrayContaining([...variables.keys()]));
    const folder = /mountPath: (\S+)/.exec(deployment)?.[1];
    expect(variables.get("INFERWIRE_TOKEN_FILE")).toBe(`${folder}/token`);
  });

  it("uses the port of the image, and a user of it that is not root", () => {
    const port = /^EXPOSE (\d+)$/m.exec(image)?.[1];
    expect(variables.get("INFERWIRE_ENDPOINT")).toBe(`:${port}`);
    expect(numberOf(deployment, "containerPort")).toBe(Number(port));
    expect(numberOf(manifest("service"), "port")).toBe(Number(port));
    expect(image).toContain("USER node");
    expect(numberOf(deployment, "runAsUser")).toBe(1_000);
  });

  it("selects in every manifest the pods that the Deployment makes", () => {
    for (const file of ["deployment", "service", "disruption-budget"]) {
      expect(below(manifest(file), "selector")).toContain("app.kubernetes.io/name: mood\n");
    }
    expect(below(deployment, "template")).toContain("app.kubernetes.io/name: mood\n");
  });

  it.each(Object.entries(kubernetesFiles({ packageName: "mood" })))(
    "%s has no tab, no odd indent, no space at an end, and nothing left to fill in",
    (_, text) => {
      expect(text).toMatch(/^(?:#.*\n)*apiVersion: \S+\nkind: \S+\nmetadata:\n {2}name: \S+\n/);
      expect(text).not.toMatch(/\t| $|undefined|NaN|\[object/m);
      const odd = text.split("\n").filter((line) => /^(?: {2})* \S/.test(line));
      expect(odd).toEqual([]);
    },
  );

  it("quotes a name that YAML takes for something else", () => {
    expect(manifest("service", "true")).toContain('\n  name: "true"\n');
    expect(manifest("service", "truth")).toContain("\n  name: truth\n");
  });

  it("refuses a name that is too long for a Service", () => {
    expect(() => manifest("service", "a".repeat(63))).not.toThrow();
    expect(() => manifest("service", "a".repeat(64))).toThrow(
      /^the name has 64 characters \(a+\), expected 63 at most for Kubernetes$/,
    );
  });
});
