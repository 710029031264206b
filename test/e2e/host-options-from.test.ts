import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseProcessor, hostOptionsFrom } from "inferwire/host";
import { afterAll, expect, it } from "vitest";
import { createCertificates } from "../support/certificates.js";
import { recordingLogger } from "../support/recording-logger.js";

const folder = mkdtempSync(join(tmpdir(), "inferwire-options-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

class Echo extends BaseProcessor {
  process(data: Uint8Array): Uint8Array {
    return data;
  }
}

it("starts a host from a service description, variables and files of certificates", async () => {
  const { ca, server, client } = createCertificates();
  const env = {
    INFERWIRE_ENDPOINT: "127.0.0.1:0",
    INFERWIRE_TOKEN_FILE: file("token", "secret\n"),
    INFERWIRE_TLS_CERT_FILE: file("server.pem", server.cert),
    INFERWIRE_TLS_KEY_FILE: file("server.key", server.key),
    INFERWIRE_TLS_CLIENT_CA_FILE: file("ca.pem", ca),
    INFERWIRE_DIRECTORY_TLS_CA_FILE: join(folder, "ca.pem"),
    INFERWIRE_DIRECTORY_TLS_CERT_FILE: file("client.pem", client.cert),
    INFERWIRE_DIRECTORY_TLS_KEY_FILE: file("client.key", client.key),
  };
  const description = { name: "echo", metadata: { rpc: { worker_threads: "2" } } };
  const options = await hostOptionsFrom({
    env,
    file: file("app.json", JSON.stringify(description)),
  });
  expect(options).toEqual({
    endpoint: "127.0.0.1:0",
    service: "echo",
    workerThreads: 2,
    token: "secret",
    tls: { ...server, clientCa: ca },
    directoryTls: { ...client, ca },
  });
  const { lines, logger } = recordingLogger();
  await using host = await new Echo({ ...options, logger }).start();
  expect(host.state).toBe("ready");
  expect(lines.find(({ message }) => message === "service created")?.fields).toMatchObject({
    service: "echo",
  });
  expect(lines.find(({ message }) => message === "port bound")?.fields).toMatchObject({
    tls: true,
  });
});
