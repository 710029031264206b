import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  checkKubernetesToken,
  kubernetesAccess,
} from "../../../src/resolve/kubernetes/kubernetes-access.js";
import { parseKubernetesTarget } from "../../../src/resolve/target/target-kubernetes.js";
import { createFakeClock } from "../../support/fake-clock.js";

const clock = createFakeClock();
const inCluster = parseKubernetesTarget("kubernetes:///ns/mnist:80", "/ns/mnist:80");
const at = parseKubernetesTarget("kubernetes://[::1]:8001/ns/mnist:80", "[::1]:8001/ns/mnist:80");

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function place(files: Readonly<Record<string, string>>, host?: string, port = "443") {
  const folder = mkdtempSync(join(tmpdir(), "inferwire-cluster-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const environment = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
  return { folder, environment };
}

const files = { token: "one\n", "ca.crt": "authority" };

describe("kubernetesAccess", () => {
  it("goes to the address that the target names: plain, or with TLS and token as given", async () => {
    expect(await kubernetesAccess(at, { clock })).toEqual({
      origin: "http://[::1]:8001",
      headers: { accept: "application/json" },
      tls: undefined,
    });
    const directoryTls = { ca: "mine" };
    for (const directoryToken of ["secret", "Bearer secret", () => "secret"]) {
      expect(await kubernetesAccess(at, { clock, directoryTls, directoryToken })).toEqual({
        origin: "https://[::1]:8001",
        headers: { accept: "application/json", authorization: "Bearer secret" },
        tls: directoryTls,
      });
    }
  });

  it("finds the cluster that it runs in, and reads the token anew each time", async () => {
    const pod = place(files, "10.0.0.1");
    const first = await kubernetesAccess(inCluster, { clock }, pod);
    expect(first.origin).toBe("https://10.0.0.1:443");
    expect(first.headers["authorization"]).toBe("Bearer one");
    expect(first.tls).toEqual({ ca: "authority" });
    writeFileSync(join(pod.folder, "token"), "two");
    const second = await kubernetesAccess(inCluster, { clock }, pod);
    expect(second.headers["authorization"]).toBe("Bearer two");
    const v6 = await kubernetesAccess(inCluster, { clock }, place(files, "fd00::1", "6443"));
    expect(v6.origin).toBe("https://[fd00::1]:6443");
  });

  it("prefers token and authorities that are given", async () => {
    const options = { clock, directoryToken: "given", directoryTls: { ca: "mine" } };
    const { headers, tls } = await kubernetesAccess(inCluster, options, place({}, "10.0.0.1"));
    expect(headers["authorization"]).toBe("Bearer given");
    expect(tls).toEqual({ ca: "mine" });
  });

  it.each([
    ["outside a cluster", {}, undefined, "443", "KUBERNETES_SERVICE_HOST is not set"],
    ["an odd host", files, "a/b", "443", 'KUBERNETES_SERVICE_HOST is "a/b"'],
    ["an odd port", files, "10.0.0.1", "tcp://x", 'KUBERNETES_SERVICE_PORT "tcp://x"'],
    ["no token", { "ca.crt": "x" }, "10.0.0.1", "443", "token cannot be read: ENOENT"],
    ["no authority", { token: "x" }, "10.0.0.1", "443", "ca.crt cannot be read: ENOENT"],
    ["an odd token", { ...files, token: "a\nsecret" }, "10.0.0.1", "443", "no usable text"],
  ])("says what is missing: %s", async (_, given, host, port, message) => {
    const failed = kubernetesAccess(inCluster, { clock }, place(given, host, port));
    await expect(failed).rejects.toMatchObject({
      reason: "DIRECTORY_FAILED",
      message: expect.stringContaining(message),
    });
    await expect(failed).rejects.toThrow("kubernetes://HOST:PORT/NAMESPACE/SERVICE:PORT");
    await expect(failed).rejects.not.toThrow("secret");
  });
});

describe("checkKubernetesToken", () => {
  const target = (place: string) =>
    parseKubernetesTarget(`kubernetes://${place}`, `${place}/ns/mnist:80`);
  const refused = expect.objectContaining({
    reason: "INVALID_OPTION",
    message: expect.stringMatching(/directoryTls.*kubectl proxy/),
  });

  it.each(["secret", () => "secret"])(
    "refuses to send a token to another machine in clear",
    (directoryToken) => {
      for (const place of ["192.0.2.2:8001", "api:8001", "[fd00::1]:8001"]) {
        expect(() => checkKubernetesToken(target(place), { directoryToken })).toThrow(refused);
      }
    },
  );

  it("lets it go over TLS, to this machine and to the cluster that it runs in", () => {
    const directoryToken = "secret";
    checkKubernetesToken(target("api:8001"), { directoryToken, directoryTls: {} });
    checkKubernetesToken(target("api:8001"), {});
    for (const place of ["127.0.0.1:8001", "localhost:8001", "[::1]:8001", ""]) {
      checkKubernetesToken(target(place), { directoryToken });
    }
  });
});
