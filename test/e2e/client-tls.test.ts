import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { createClient } from "inferwire/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EchoDefinition, startEcho } from "../support/client-echo.js";

const folder: string = mkdtempSync(join(tmpdir(), "client-tls-"));

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
}

function pem(name: string): Buffer {
  return readFileSync(join(folder, name));
}

/** Signs a certificate of this name with the folder's authority. */
function certificate(name: string, alternative: string): void {
  const subject = `/CN=${name}`;
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    "-subj",
    subject,
  );
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${alternative}\n`);
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-days",
    "2",
    "-out",
    `${name}.crt`,
    "-extfile",
    `${name}.ext`,
  );
}

beforeAll(() => {
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
  );
  certificate("server", "DNS:model.test,DNS:localhost");
  certificate("client", "DNS:client.test");
});

afterAll(() => rmSync(folder, { recursive: true }));

function startSecure(clientCertificates: boolean) {
  const pair = { private_key: pem("server.key"), cert_chain: pem("server.crt") };
  const credentials = ServerCredentials.createSsl(pem("ca.crt"), [pair], clientCertificates);
  return startEcho({ credentials });
}

/** One call; the reason of its failure, or what it answered. */
async function tryCall(port: number, tls: object | boolean | undefined, host = "127.0.0.1") {
  await using client = createClient(EchoDefinition, {
    target: `${host}:${port}`,
    tls: tls as never,
    connectTimeoutMs: 500,
  });
  try {
    return (await client.unary({ text: "secret" })).text;
  } catch (error) {
    return error instanceof Error ? error.message : "no error";
  }
}

describe("createClient: tls", () => {
  it("calls a server whose certificate one of its authorities has signed", async () => {
    await using server = await startSecure(false);
    const ca = pem("ca.crt");
    expect(await tryCall(server.port, { ca, serverName: "model.test" })).toBe("secret");
    expect(await tryCall(server.port, { ca: ca.toString(), serverName: "model.test" })).toBe(
      "secret",
    );
    expect(await tryCall(server.port, { ca }, "localhost")).toBe("secret");
  });

  it("refuses another name, an unknown authority and no TLS at all, and says which", async () => {
    await using server = await startSecure(false);
    const ca = pem("ca.crt");
    const wrongName = await tryCall(server.port, { ca, serverName: "other.test" });
    expect(wrongName).toContain("CONNECT_FAILED");
    expect(wrongName).toContain("does not match certificate's altnames");
    expect(await tryCall(server.port, true)).toContain("CONNECT_FAILED");
    expect(await tryCall(server.port, undefined)).toContain("CONNECT_FAILED");
  });

  it("shows its own certificate where the server asks for one", async () => {
    await using server = await startSecure(true);
    const trusting = { ca: pem("ca.crt"), serverName: "model.test" };
    const own = { cert: pem("client.crt"), key: pem("client.key") };
    expect(await tryCall(server.port, { ...trusting, ...own })).toBe("secret");
    expect(await tryCall(server.port, trusting)).toContain("UNAVAILABLE");
  });
});
