import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cliFile, servedPort } from "../support/cli.js";
import { runHere } from "../support/cli-world.js";
import { manifestVariables } from "../support/manifest-variables.js";
import { http, post } from "../support/raw-http.js";
import { until } from "../support/until.js";
import { UserProject } from "../support/user-project.js";

/** Shorter than the manifest has it, so that nobody waits; the rest is as there. */
const PRE_STOP_DELAY_MS = 1_000;

describe("a host as the manifests of inferwire init run it", () => {
  it("gets ready, serves on after SIGTERM while it says that it is not, and ends with 0", async () => {
    const around = new UserProject();
    const made = await runHere(["init", "mood", "--kubernetes"], around.folder);
    expect(made).toMatchObject({ code: 0 });
    const user = new UserProject(join(around.folder, "mood")).link();
    user.write("secret/token", "a token\n");
    const manifest = user.read("kubernetes/deployment.yaml");
    const variables = manifestVariables(manifest);
    expect(variables.get("INFERWIRE_ENDPOINT")).toBe(":8080");
    const host = user.start(["--import", "tsx", cliFile, "serve", "src/processor.ts"], {
      ...Object.fromEntries(variables),
      INFERWIRE_ENDPOINT: ":0",
      INFERWIRE_TOKEN_FILE: join(user.folder, "secret/token"),
      INFERWIRE_PRE_STOP_DELAY_MS: String(PRE_STOP_DELAY_MS),
    });
    await host.said("serving");
    const port = servedPort(host);
    const probe = async (name: string): Promise<number> => {
      const path = new RegExp(`${name}:\\n +httpGet:\\n +path: (\\S+)`).exec(manifest)?.[1];
      return (await http(port, path ?? "")).status;
    };
    const token = { authorization: "a token" };
    expect(await probe("startupProbe")).toBe(200);
    expect(await probe("readinessProbe")).toBe(200);
    expect(await probe("livenessProbe")).toBe(200);
    expect((await post(port, "/", "to be")).status).toBe(401);
    expect((await post(port, "/", "to be", token)).text).toBe("2\n");

    host.child.kill("SIGTERM");
    const endedMs = host.exited.then(() => performance.now());
    const toldMs = performance.now();
    await until(async () => (await probe("readinessProbe")) === 503);
    // Not ready, and neither dead nor deaf: clients that have not heard of it yet are answered.
    expect(await probe("livenessProbe")).toBe(200);
    expect((await post(port, "/", "or not to be", token)).text).toBe("4\n");
    expect(await host.exited).toBe(0);
    expect((await endedMs) - toldMs).toBeGreaterThanOrEqual(PRE_STOP_DELAY_MS);
    // Room for the delay of the manifest and for calls that are under way.
    const seconds = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifest)?.[1]);
    const delayMs = Number(variables.get("INFERWIRE_PRE_STOP_DELAY_MS"));
    expect(seconds * 1_000).toBeGreaterThan(2 * delayMs);
  }, 30_000);
});
