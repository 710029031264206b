import { gunzipSync } from "node:zlib";
import { startDirectory } from "inferwire/directory";
import { type CallReport, ENDPOINT_TYPE_VIPSERVER, StringRequest, TFRequest } from "inferwire/eas";
import { describe, expect, it } from "vitest";
import { createCertificates } from "../support/certificates.js";
import { clientOf, direct, errorOf, server, textOf } from "../support/eas-clients.js";
import { listing } from "../support/eas-server.js";
import { startTestHost } from "../support/hosts.js";
import { recordingLogger } from "../support/recording-logger.js";
import { until } from "../support/until.js";

const goPath = "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/mnist";
const pyPath = "/api/v1/servicediscovery/upstreams/mnist";

describe("PredictClient, the endpoint itself", () => {
  it("calls a host of the kit by EAS's protocol", async () => {
    const host = await startTestHost(
      {
        process: (data, call) =>
          Buffer.from(`${call.path} ${call.query} ${call.metadata.get("x-a")} ${data}`),
      },
      { service: "mnist", token: "s3cret" },
    );
    const client = clientOf(`127.0.0.1:${host.port}`, "mnist/v1", { token: "s3cret" });
    const answer = await client.predict(new StringRequest("hello"), {
      path: "chat",
      query: { top: "3" },
      headers: { "X-A": "b" },
    });
    expect(answer.toString()).toBe("/v1/chat top=3 b hello");
  });

  it("sends what EAS expects, and without a token no authorization", async () => {
    const echo = await server();
    const client = clientOf(`${echo.url}/gateway/`, "mnist");
    expect(await textOf(client)).toBe("hello");
    const [request] = echo.requests;
    expect(request).toMatchObject({ method: "POST", target: "/gateway/api/predict/mnist" });
    expect(request?.headers).toMatchObject({
      host: `127.0.0.1:${echo.port}`,
      "content-type": "application/octet-stream",
      "content-length": "5",
    });
    expect(request?.headers).not.toHaveProperty("authorization");
    expect(request?.headers).not.toHaveProperty("content-encoding");
  });

  it("does what the setters say", async () => {
    const echo = await server();
    const client = clientOf("", "");
    client.setEndpoint(echo.url);
    client.setServiceName("mnist");
    client.setToken("s3cret");
    client.setContentType("text/plain");
    client.addHeaders({ "X-A": "1" });
    client.addHeaders({ "x-a": "2" });
    client.setRequestPath("v1");
    client.setQuery({ uid: "1", flag: null });
    client.setCompress("gzip");
    client.setDecompress("gzip");
    expect(await textOf(client)).toBe("hello");
    const [request] = echo.requests;
    expect(request).toMatchObject({
      target: "/api/predict/mnist/v1?uid=1&flag",
      headers: { authorization: "s3cret", "content-type": "text/plain", "x-a": "2" },
    });
    expect(gunzipSync(request?.body ?? "").toString()).toBe("hello");
  });

  it("asks a token function before each attempt", async () => {
    const echo = await server();
    let asked = 0;
    const client = clientOf(echo.url, "mnist", { token: async () => `token ${++asked}` });
    await textOf(client);
    await textOf(client);
    const seen = echo.requests.map(({ headers }) => headers.authorization);
    expect(seen).toEqual(["token 1", "token 2"]);
  });

  it("speaks https", async () => {
    const { ca, server: tls } = createCertificates();
    const echo = await server(undefined, tls);
    const trusting = clientOf(echo.url, "mnist", { tls: { ca } });
    expect(await textOf(trusting)).toBe("hello");
    const doubting = await errorOf(textOf(clientOf(echo.url, "mnist", { timeoutMs: 500 })));
    expect(doubting.reason).toMatch(/CONNECT_FAILED|DEADLINE_EXCEEDED/);
  });

  it("calls a URL as it is", async () => {
    const echo = await server();
    const url = `${echo.url}/any/path?x=1`;
    expect(await textOf(clientOf("", "", { url, token: "s3cret" }))).toBe("hello");
    expect(echo.requests[0]).toMatchObject({
      target: "/any/path?x=1",
      headers: { authorization: "s3cret" },
    });
  });

  it("takes a 200 that is no answer to the request for an error, with all that is known", async () => {
    const { port } = await server();
    const client = clientOf(`http://127.0.0.1:${port}`);
    const request = new TFRequest("predict_images");
    request.addFeed("images", [1, 2], TFRequest.DT_FLOAT, new Float32Array([1, 2]));
    const error = await errorOf(client.predict(request));
    expect(error).toMatchObject({ reason: "ANSWER_MALFORMED", httpStatus: 200, remote: false });
    expect(error.attempts.map(({ reason }) => reason)).toEqual([undefined]);
  });
});

describe("PredictClient, direct", () => {
  it.each([goPath, pyPath])("finds instances at %s, and goes on asking there", async (path) => {
    const echo = await server();
    const directory = await server(({ target }) =>
      target === path ? listing(echo.port) : { status: 404 },
    );
    const client = clientOf(directory.url, "mnist", direct);
    expect(await textOf(client)).toBe("hello");
    await until(() => directory.requests.length >= 5);
    expect(directory.requests.slice(2).every(({ target }) => target === path)).toBe(true);
    expect(directory.requests[0]?.method).toBe("GET");
    expect(echo.requests[0]?.target).toBe("/api/predict/mnist");
  });

  it("asks the next directory when one is dead, fails, or does not know", async () => {
    const echo = await server();
    const failing = await server(() => ({ status: 500 }));
    const unknowing = await server(() => ({ status: 404 }));
    const knowing = await server(() => listing(echo.port));
    const endpoint = ["127.0.0.1:1", failing.url, unknowing.url, knowing.url].join(",");
    for (const seed of [1, 2, 3, 4]) {
      expect(await textOf(clientOf(endpoint, "mnist", { ...direct, seed }))).toBe("hello");
    }
  });

  it("takes a discovery address that was pasted", async () => {
    const echo = await server();
    const directory = await server(() => listing(echo.port));
    const client = clientOf(`${directory.url}${goPath}?internal=true`, "", direct);
    expect(await textOf(client)).toBe("hello");
    expect(directory.requests[0]?.target).toBe(`${goPath}?internal=true`);
  });

  it("gives instances of 100 and 50 their shares within one call", async () => {
    await using directory = await startDirectory({
      endpoint: "127.0.0.1:0",
      logger: recordingLogger().logger,
    });
    const address = `127.0.0.1:${directory.address.port}`;
    const calls: [number, number] = [0, 0];
    for (const [index, weight] of [100, 50].entries()) {
      const process = (data: Uint8Array): Uint8Array => {
        calls[index as 0 | 1]++;
        return data;
      };
      await startTestHost(
        { process },
        { service: "mnist", directory: address, weight, name: `n${index}` },
      );
    }
    const client = clientOf(address, "mnist", direct);
    await until(async () => {
      const reports: CallReport[] = [];
      const onReport = (report: CallReport): unknown => reports.push(report);
      await client.predict(new StringRequest("a"), { onReport });
      return reports[0]?.candidates === 2;
    });
    calls.fill(0);
    for (let call = 1; call <= 300; call++) {
      await textOf(client);
      expect(Math.abs(calls[0] - (call * 2) / 3)).toBeLessThanOrEqual(1);
    }
    expect(calls[0] + calls[1]).toBe(300);
  });

  it("follows the list while it runs, and loses no call by it", async () => {
    const first = await server(() => ({ body: "first" }));
    const second = await server(() => ({ body: "second" }));
    let list = listing(first.port);
    const directory = await server(() => list);
    const client = clientOf(directory.url, "mnist", direct);
    await client.init();
    expect(await textOf(client)).toBe("first");
    list = listing(second.port);
    await until(async () => (await textOf(client)) === "second");
    await first[Symbol.asyncDispose]();
    directory.answer = () => ({ status: 500 });
    for (let call = 0; call < 20; call++) expect(await textOf(client)).toBe("second");
  });

  it("says what the directory said when there is no list in time", async () => {
    const directory = await server(() => ({ status: 404 }));
    const client = clientOf(directory.url, "mnist", { ...direct, firstListTimeoutMs: 100 });
    await expect(client.init()).rejects.toMatchObject({ reason: "SERVICE_UNKNOWN" });
    const error = await errorOf(textOf(client));
    expect(error.reason).toBe("SERVICE_UNKNOWN");
    expect(error.attempts).toEqual([]);
    const echo = await server();
    directory.answer = () => listing(echo.port);
    await client.init();
    expect(await textOf(client)).toBe("hello");
  });

  it("speaks https to the directory and to instances, each when it is asked for", async () => {
    const { ca, server: tls } = createCertificates();
    const [plain, secure] = [await server(), await server(undefined, tls)];
    const directory = await server(() => listing(plain.port), tls);
    const options = { ...direct, directoryTls: { ca } };
    expect(await textOf(clientOf(directory.url, "mnist", options))).toBe("hello");
    directory.answer = () => listing(secure.port);
    expect(await textOf(clientOf(directory.url, "mnist", { ...options, tls: { ca } }))).toBe(
      "hello",
    );
  });

  it("begins once for calls that come at once", async () => {
    const echo = await server();
    const directory = await server(() => listing(echo.port));
    const client = clientOf(directory.url, "mnist", { ...direct, pollIntervalMs: 60_000 });
    const answers = await Promise.all([textOf(client, "a"), textOf(client, "b"), client.init()]);
    expect(answers.slice(0, 2)).toEqual(["a", "b"]);
    expect(directory.requests.length).toBe(1);
  });
});

describe("PredictClient, VIPServer", () => {
  it("asks a server of the list for the domain's hosts, and leaves out those that are not valid", async () => {
    const echo = await server();
    const hosts = [
      { ip: "127.0.0.1", port: echo.port, weight: 1, valid: true },
      { ip: "127.0.0.1", port: 1, weight: 1, valid: false },
    ];
    const vipserver = await server(() => ({ body: JSON.stringify({ hosts }) }));
    const list = await server(() => ({ body: `127.0.0.1:${vipserver.port}\n` }));
    const client = clientOf("mnist.vipserver", "mnist", {
      endpointType: ENDPOINT_TYPE_VIPSERVER,
      vipserverList: `127.0.0.1:${list.port}`,
    });
    expect(await textOf(client)).toBe("hello");
    expect(await textOf(client)).toBe("hello");
    expect(list.requests[0]?.target).toBe("/vipserver/serverlist");
    expect(vipserver.requests[0]?.target).toBe(
      "/vipserver/api/srvIPXT?dom=mnist.vipserver&clusters=DEFAULT",
    );
  });
});
