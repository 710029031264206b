import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { kubernetesFiles } from "../../src/cli/init/kubernetes-files.js";
import { createCertificates } from "../support/certificates.js";
import { debianTool } from "../support/debian-tool.js";
import { type FakeKubernetes, sliceOf, startFakeKubernetes } from "../support/fake-kubernetes.js";
import { emptyFolder } from "../support/folders.js";
import { until } from "../support/until.js";

const tool = debianTool("kubectl", "kubernetes-client");

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The fake is what the source is tested with; this is what the fake is tested with. */
describe.skipIf(tool.missing)(`the fake API server, asked by kubectl${tool.note}`, () => {
  let fake: FakeKubernetes;
  let home: string;
  const children: ChildProcess[] = [];

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "inferwire-kubectl-"));
    // Old ones warn of a file that is not there.
    writeFileSync(join(home, "config"), "apiVersion: v1\nkind: Config\n");
  });

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await fake[Symbol.asyncDispose]();
  });

  function commandOf(args: readonly string[]): readonly [string, readonly string[], object] {
    const where = ["--server", `${fake.scheme}://127.0.0.1:${fake.port}`];
    where.push("--cache-dir", join(home, "cache"));
    if (fake.scheme === "https") where.push("--certificate-authority", join(home, "ca.pem"));
    // Without any it asks for a user's name.
    if (fake.scheme === "https" && !args.includes("--token")) where.push("--token", "right");
    // No file of the machine's, and no proxy.
    const env = {
      PATH: process.env["PATH"],
      HOME: home,
      KUBECONFIG: join(home, "config"),
      NO_PROXY: "*",
    };
    return [tool.required(), [...where, ...args], { env }];
  }

  function kubectl(...args: readonly string[]): Promise<Answer> {
    const [file, all, options] = commandOf(args);
    return new Promise((resolve) => {
      execFile(file, all, { ...options, timeout: 20_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? 1);
        resolve({ code, stdout: String(stdout), stderr: String(stderr) });
      });
    });
  }

  const slices = ["-n", "ns", "get", "endpointslices", "-l", "kubernetes.io/service-name=mnist"];

  it("lists the slices of a service, in pages too, and no others", async () => {
    fake = await startFakeKubernetes({ pieceBytes: 7 });
    for (const name of ["a", "b", "c", "d", "e"]) fake.store.put(sliceOf(name, ["10.0.0.1"]));
    fake.store.put(sliceOf("other", ["10.0.0.9"], { service: "other" }));
    fake.store.put(sliceOf("a", ["10.0.0.9"], { namespace: "elsewhere" }));
    for (const chunk of ["0", "2"]) {
      const { code, stdout, stderr } = await kubectl(
        ...slices,
        "-o",
        "json",
        `--chunk-size=${chunk}`,
      );
      expect([code, stderr]).toEqual([0, ""]);
      const { items } = JSON.parse(stdout);
      expect(items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
        ..."abcde",
      ]);
      expect(items[0]).toMatchObject({
        addressType: "IPv4",
        endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
        metadata: { annotations: { note: "käse €5 \u{1f600}" } },
      });
    }
    const continued = fake.api.seen.filter(({ query }) => query.get("continue"));
    expect(continued.length).toBe(2);
    const one = await kubectl("-n", "ns", "get", "endpointslices", "b", "-o", "name");
    expect(one.stdout.trim()).toBe("endpointslice.discovery.k8s.io/b");
    const namespaces = await kubectl("get", "namespaces", "-o", "name");
    expect(namespaces.stdout.split("\n")).toContain("namespace/ns");
  });

  it("is watched: what is there, what joins, changes and goes", async () => {
    fake = await startFakeKubernetes({ pieceBytes: 7 });
    fake.store.put(sliceOf("a", ["10.0.0.1"]));
    const form = "-o=jsonpath={.type} {.object.metadata.name}{'\\n'}";
    const [file, all, options] = commandOf([...slices, "--watch", "--output-watch-events", form]);
    const child = spawn(file, all, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    let printed = "";
    const print = (chunk: Buffer): void => {
      printed += chunk.toString();
    };
    child.stdout?.on("data", print);
    child.stderr?.on("data", print);
    const lines = () => printed.split("\n").filter(Boolean);
    await until(() => fake.api.watching === 1 && lines().length === 1, 20_000);
    fake.store.put(sliceOf("b", ["10.0.0.2"]));
    fake.store.put(sliceOf("b", ["10.0.0.3"]));
    fake.store.put(sliceOf("z", ["10.0.0.3"], { service: "other" }));
    fake.store.put(sliceOf("b", ["10.0.0.3"], { service: null }));
    fake.store.delete("a");
    await until(() => lines().length >= 5);
    expect(lines()).toEqual(["ADDED a", "ADDED b", "MODIFIED b", "DELETED b", "DELETED a"]);
    const query = fake.api.seen.at(-1)?.query;
    expect(query?.get("resourceVersion")).toMatch(/^\d+$/);
    child.kill("SIGKILL");
    await until(() => fake.api.watching === 0);
  });

  it("refuses as an API server does", async () => {
    // kubectl sends no token without TLS.
    const { ca, server } = createCertificates();
    writeFileSync(join(home, "ca.pem"), ca);
    fake = await startFakeKubernetes({ certificate: server });
    fake.store.put(sliceOf("a", ["10.0.0.1"]));
    fake.api.settings.tokens = ["right"];
    const wrong = await kubectl(...slices, "--token", "wrong");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("You must be logged in to the server");
    const right = await kubectl(...slices, "--token", "right", "-o", "name");
    expect(right).toMatchObject({ code: 0, stdout: "endpointslice.discovery.k8s.io/a\n" });
    fake.api.settings.forbidden = ["list"];
    const forbidden = await kubectl(...slices);
    expect(forbidden.stderr).toContain(
      "Error from server (Forbidden): endpointslices.discovery.k8s.io",
    );
    fake.api.settings.forbidden = [];
    const missing = await kubectl("-n", "ns", "get", "endpointslices", "nobody");
    expect(missing.stderr).toContain(
      '(NotFound): endpointslices.discovery.k8s.io "nobody" not found',
    );
    const selector = await kubectl(
      "-n",
      "ns",
      "get",
      "--raw",
      "/apis/discovery.k8s.io/v1/endpointslices?labelSelector=a%3D%3D%3Db",
    );
    expect(selector.stderr).toContain("(BadRequest)");
  });

  it("answers 410 for a page that is too old", async () => {
    fake = await startFakeKubernetes();
    for (const name of ["a", "b", "c"]) fake.store.put(sliceOf(name, ["10.0.0.1"]));
    fake.api.settings.fault = (_, query) => {
      if (query.has("continue")) {
        fake.store.pass();
        fake.store.compact();
      }
      return undefined;
    };
    const { stderr } = await kubectl(...slices, "-o", "name", "--chunk-size=2");
    expect(stderr).toContain("(Expired): The provided continue parameter is too old");
  });
});

describe.skipIf(tool.missing)(
  `the manifests of init --kubernetes, read by kubectl${tool.note}`,
  () => {
    const manifests = kubernetesFiles({ packageName: "sentiment" });

    /** What kubectl says of a file that it decodes into the types of Kubernetes; asks no server. */
    function said(text: string): string {
      const file = join(emptyFolder(), "manifest.yaml");
      writeFileSync(file, text);
      const args = ["set", "env", "--local", "-f", file, "SEEN=yes", "-o", "name"];
      const env = { PATH: process.env["PATH"], HOME: emptyFolder() };
      const { stdout, stderr } = spawnSync(tool.required(), args, { env, encoding: "utf8" });
      return stdout + stderr;
    }

    it.each(Object.entries(manifests))("takes %s", (_, text) => {
      const kinds = [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind = ""]) =>
        kind.toLowerCase(),
      );
      expect(kinds.length).toBeGreaterThan(0);
      const answer = said(text);
      // Of what has no environment it says so, which it can only of what it has decoded.
      for (const kind of kinds) expect(answer).toMatch(new RegExp(`\\b${kind}[./]`));
      expect(answer).not.toContain("unable to decode");
    });

    it("would not take a value of a wrong type", () => {
      const deployment = manifests["kubernetes/deployment.yaml"] ?? "";
      const answer = said(deployment.replace(/replicas: \d+/, "replicas: x"));
      expect(answer).toContain("cannot unmarshal string");
    });
  },
);
