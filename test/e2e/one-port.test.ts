import { Agent, request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { PredictServiceDefinition } from "inferwire/proto";
import { createChannel, createClient } from "nice-grpc";
import { describe, expect, it } from "vitest";
import { createCertificates } from "../support/certificates.js";
import { startTestHost } from "../support/hosts.js";
import { answerOf, connectRaw, exchangeRaw, post } from "../support/raw-http.js";

const certificates = createCertificates();
const tls = { cert: certificates.server.cert, key: certificates.server.key };

function postTls(port: number, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { port, host: "127.0.0.1", path: "/test", method: "POST", ca: certificates.ca, ...options },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve(`${response.statusCode} ${text}`));
      },
    );
    request.on("error", reject);
    request.end("secret");
  });
}

async function predict(port: number, data: string, secure?: Parameters<typeof createChannel>[1]) {
  const channel = createChannel(`127.0.0.1:${port}`, secure);
  try {
    const answer = await createClient(PredictServiceDefinition, channel).predict({
      data: Buffer.from(data),
    });
    return Buffer.from(answer.data).toString();
  } finally {
    channel.close();
  }
}

describe("one port in cleartext", () => {
  it("answers a gRPC client and an HTTP client", async () => {
    const { port } = await startTestHost();
    expect(await predict(port, "over gRPC")).toBe("over gRPC");
    expect((await post(port, "/test", "over HTTP")).text).toBe("over HTTP");
  });

  it("understands HTTP that arrives byte by byte", async () => {
    const { port } = await startTestHost();
    const socket = await connectRaw(port);
    socket.setNoDelay(true);
    const answer = answerOf(socket, "PUT");
    for (const byte of "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nPUT") {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await answer).text).toContain("HTTP/1.1 200");
  });

  it("answers a method that begins like HTTP/2's preface as HTTP/1.1", async () => {
    const { port } = await startTestHost();
    const answer = await exchangeRaw(port, "PROPFIND /test HTTP/1.1\r\nhost: x\r\n\r\n", "405");
    expect(answer.text).toContain("HTTP/1.1 405");
  });

  it("serves several requests on one kept connection", async () => {
    const { port } = await startTestHost();
    const socket = await connectRaw(port);
    const request = "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n";
    socket.write(`${request}one${request}two`);
    const answer = await answerOf(socket, "two");
    expect(answer.text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });
});

describe("one port over TLS", () => {
  it("answers a gRPC client and an HTTP client", async () => {
    const { port } = await startTestHost({}, { tls });
    const secure = credentials.createSsl(Buffer.from(certificates.ca));
    expect(await predict(port, "over gRPC", secure)).toBe("over gRPC");
    expect(await postTls(port)).toBe("200 secret");
  });

  it("chooses HTTP/1.1 for a client that offers both, as curl and browsers do", async () => {
    const { port } = await startTestHost({}, { tls });
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      ca: certificates.ca,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  it("looks at the bytes of a client that offers nothing", async () => {
    const { port } = await startTestHost({}, { tls });
    expect(await postTls(port, { ALPNProtocols: [], agent: new Agent() })).toBe("200 secret");
  });

  it("closes a cleartext connection", async () => {
    const { port } = await startTestHost({}, { tls });
    const answer = await exchangeRaw(port, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(answer.closed).toBe(true);
    expect(answer.text).not.toContain("200");
  });

  it("demands a client certificate when it is given an authority for them", async () => {
    const { port } = await startTestHost({}, { tls: { ...tls, clientCa: certificates.ca } });
    await expect(postTls(port)).rejects.toThrow();
    const { cert, key } = certificates.client;
    expect(await postTls(port, { cert, key, agent: new Agent() })).toBe("200 secret");
    const secure = credentials.createSsl(
      Buffer.from(certificates.ca),
      Buffer.from(key),
      Buffer.from(cert),
    );
    expect(await predict(port, "mutual", secure)).toBe("mutual");
  });
});
