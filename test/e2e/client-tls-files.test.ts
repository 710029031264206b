import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import { createClient } from "inferwire/client";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { systemClock } from "../../src/core/ports.js";
import { checkClientTls, secureContext } from "../../src/transport/client-tls.js";
import { httpGet } from "../../src/transport/http-get.js";
import { createHttpTransport } from "../../src/transport/http-transport.js";
import { type Certificates, createCertificates } from "../support/certificates.js";
import { attemptOnce } from "../support/client-attempt.js";
import { EchoDefinition, startEcho } from "../support/client-echo.js";
import { startHttpServer } from "../support/client-sockets.js";
import { createFakeClock } from "../support/fake-clock.js";
import { recordingLogger } from "../support/recording-logger.js";
import { until } from "../support/until.js";

/** Two authorities that know nothing of each other. */
let before: Certificates;
let after: Certificates;
let folder: string;

beforeAll(() => {
  before = createCertificates();
  after = createCertificates();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inferwire-tls-files-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Between two looks at the files. */
const LOOK_MS = 1_000;

const file = (name: string): string => join(folder, name);

const files = () => ({
  caFile: file("ca.pem"),
  certFile: file("tls.pem"),
  keyFile: file("tls.key"),
});

function write(contents: { ca?: string; cert?: string; key?: string }): void {
  if (contents.ca !== undefined) writeFileSync(file("ca.pem"), contents.ca);
  if (contents.cert !== undefined) writeFileSync(file("tls.pem"), contents.cert);
  if (contents.key !== undefined) writeFileSync(file("tls.key"), contents.key);
}

function startSecure({ ca, server }: Certificates, port = 0) {
  const pair = { private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.cert) };
  return startEcho({
    port,
    credentials: ServerCredentials.createSsl(Buffer.from(ca), [pair], true),
  });
}

describe("createClient: tls from files", () => {
  it("takes over replaced certificates with the next connection, and keeps the old ones until they fit", async () => {
    write({ ca: before.ca, ...before.client });
    const { logger, lines } = recordingLogger();
    let server = await startSecure(before);
    const { port } = server;
    await using client = createClient(EchoDefinition, {
      target: `127.0.0.1:${port}`,
      tls: files(),
      connectTimeoutMs: 1_000,
      logger,
    });
    const works = async (): Promise<boolean> => {
      try {
        return (await client.unary({ text: "a" })).text === "a";
      } catch {
        return false;
      }
    };
    const restart = async (certificates: Certificates): Promise<void> => {
      server.kill();
      server = await startSecure(certificates, port);
    };
    const said = (level: string): unknown[] =>
      lines.filter(({ message, level: at }) => at === level && /certificates/.test(message));
    expect(await works()).toBe(true);
    write({ cert: after.client.cert });
    await sleep(LOOK_MS);
    for (let n = 0; n < 2; n++) {
      await restart(before);
      await until(works);
    }
    rmSync(file("tls.key"));
    await sleep(LOOK_MS);
    await restart(before);
    await until(works);
    expect(said("warn")).toMatchObject([
      {
        message: "changed certificates cannot be used, the old ones stay",
        fields: { option: "tls", error: "tls: ca, cert or key is no usable PEM" },
      },
    ]);
    expect(said("info")).toEqual([]);
    write({ ca: after.ca, key: after.client.key });
    await sleep(LOOK_MS);
    await restart(after);
    await until(works);
    expect(said("info")).toMatchObject([{ message: "certificates have been read anew" }]);
    expect(JSON.stringify(lines)).not.toContain("PRIVATE KEY");
    await using late = createClient(EchoDefinition, {
      target: `127.0.0.1:${port}`,
      tls: { ca: after.ca, ...before.client },
      connectTimeoutMs: 500,
    });
    await expect(late.unary({ text: "a" })).rejects.toThrow("UNAVAILABLE");
    server.kill();
  });

  it("refuses at construction what cannot be used", () => {
    write({ ca: before.ca, ...before.client });
    const { caFile, certFile, keyFile } = files();
    writeFileSync(file("cut.pem"), before.ca + after.ca.slice(0, -40));
    writeFileSync(file("empty.pem"), "");
    const pem = before.client;
    for (const [tls, expected] of [
      [{ caFile, ca: before.ca }, "tls.ca and tls.caFile are both given, expected one"],
      [{ certFile, keyFile, cert: pem.cert }, "tls.cert and tls.certFile are both given"],
      [{ certFile, keyFile, key: pem.key }, "tls.key and tls.keyFile are both given"],
      [{ certFile }, "tls.cert is given without tls.key"],
      [{ caFile: file("none.pem") }, `tls.caFile ${file("none.pem")} cannot be read`],
      [{ caFile: folder }, `tls.caFile ${folder} cannot be read`],
      [{ caFile: "" }, 'tls.caFile is "", expected a path'],
      [{ caFile: 3 }, "tls.caFile is 3, expected a path"],
      [{ caFile: file("cut.pem") }, "is no PEM, or not a whole one"],
      [{ caFile: file("empty.pem") }, "is no PEM, or not a whole one"],
      [{ certFile, keyFile: caFile }, "tls: ca, cert or key is no usable PEM"],
      [{ caFiles: caFile }, 'tls has no option "caFiles", did you mean "caFile"?'],
    ] as const) {
      const make = () => createClient(EchoDefinition, { target: "127.0.0.1:1", tls: tls as never });
      expect(make).toThrow(expected);
    }
  });
});

describe("secureContext", () => {
  it("looks at files once a second, also while they cannot be used", () => {
    write({ ca: before.ca, ...before.client });
    const { logger, lines } = recordingLogger();
    const clock = createFakeClock();
    const tls = checkClientTls(files(), "tls", logger, clock) ?? {};
    const first = secureContext(tls, "tls");
    write({ key: after.client.key });
    const look = (afterMs: number) => {
      clock.advance(afterMs);
      return [secureContext(tls, "tls") === first, lines.map(({ level }) => level)];
    };
    expect(look(999)).toEqual([true, []]);
    expect(look(1)).toEqual([true, ["warn"]]);
    write({ cert: after.client.cert });
    expect(look(999)).toEqual([true, ["warn"]]);
    expect(look(1)).toEqual([false, ["warn", "info"]]);
  });
});

describe("createHttpTransport and httpGet: tls from files", () => {
  it("show the certificate of now on each new connection, on one that resumes a session too", async () => {
    write({ ca: before.ca, ...before.client });
    const clock = createFakeClock();
    const tls = checkClientTls(files(), "tls", undefined, clock);
    await using server = await startHttpServer(
      (request, _body, response) => {
        const { serialNumber } = (request.socket as TLSSocket).getPeerCertificate();
        response.setHeader("connection", "close");
        response.end(serialNumber);
      },
      { ...before.server, ca: before.ca, requestCert: true, rejectUnauthorized: true },
    );
    const transport = createHttpTransport(instanceOf({ host: "127.0.0.1", port: server.port }), {
      tls,
      maxMessageBytes: 1_000,
      connectTimeoutMs: 2_000,
      clock: systemClock,
    });
    const posted = async (): Promise<string> => {
      const { messages } = await attemptOnce(transport);
      return Buffer.concat(messages).toString();
    };
    const got = async (): Promise<string> => {
      const url = `https://127.0.0.1:${server.port}/`;
      const answer = await httpGet({
        url,
        headers: {},
        tls,
        timeoutMs: 2_000,
        maxBodyBytes: 100,
        clock: systemClock,
      });
      return Buffer.from(answer.body).toString();
    };
    const first = await posted();
    expect([first.length > 0, await posted(), await got()]).toEqual([true, first, first]);
    write(before.server);
    clock.advance(LOOK_MS - 1);
    expect(await posted()).toBe(first);
    clock.advance(1);
    const second = await posted();
    expect(second).not.toBe(first);
    expect([await posted(), await got()]).toEqual([second, second]);
    transport.close();
  });
});
