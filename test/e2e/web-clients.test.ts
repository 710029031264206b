import { Status } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { createChannel, createClient } from "nice-grpc-web";
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCertificates } from "../support/certificates.js";
import { startLaneHost } from "../support/lane-hosts.js";
import { post } from "../support/raw-http.js";
import { until } from "../support/until.js";
import { webClients } from "../support/web-clients.js";
import { startWebHost, type WebMethods } from "../support/web-host.js";

const url = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}`;

/** Methods that wait until their call is over, and the reasons for which it was. */
function waitingMethods(): { readonly reasons: string[]; readonly methods: Partial<WebMethods> } {
  const reasons: string[] = [];
  const over = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reasons.push((signal.reason as { reason: string }).reason);
        reject(signal.reason);
      });
    });
  return {
    reasons,
    methods: {
      unary: (_, { signal }) => over(signal),
      async *serverStream(request, { signal }) {
        yield request;
        await over(signal);
      },
    },
  };
}

describe.each(webClients)("%s", (_, door, clientAt) => {
  it("calls unary methods, with headers and trailers both ways", async () => {
    const client = clientAt(url(await startWebHost()));
    const came = await client.unary("a", { headers: { "x-ask": "me" } });
    expect(came).toMatchObject({ texts: ["a"], code: 0 });
    expect([came.header("x-head"), came.trailer("x-tail")]).toEqual([`${door} me`, "tail"]);
    const bytes = "0001fafbff";
    const sent = await client.unary("a", { headers: { "x-bytes-bin": bytes } });
    expect([sent.header("x-bytes-bin"), sent.trailer("x-bytes-bin")]).toEqual([bytes, bytes]);
  });

  it("reads streams", async () => {
    const client = clientAt(
      url(
        await startWebHost({
          async *serverStream({ text }, call) {
            call.header.set("x-head", call.door);
            call.trailer.set("x-tail", "tail");
            if (text !== "") for (const part of text.split(",")) yield { text: part };
          },
        }),
      ),
    );
    const came = await client.stream("a,b,c");
    expect(came).toMatchObject({ texts: ["a", "b", "c"], code: 0 });
    expect([came.header("x-head"), came.trailer("x-tail")]).toEqual([door, "tail"]);
    expect(await client.stream("")).toMatchObject({ texts: [], code: 0 });
  });

  it("is told of errors with code, message, trailers and reason", async () => {
    const client = clientAt(url(await startWebHost()));
    const came = await client.unary("fail");
    expect(came).toMatchObject({
      code: Status.FAILED_PRECONDITION,
      message: "nicht möglich: 100% ✗",
    });
    const reasonAndTail = ["CALL_FAILED", "tail"];
    expect([came.trailer("inferwire-reason"), came.trailer("x-tail")]).toEqual(reasonAndTail);
    const torn = await client.stream("a,b,fail");
    expect(torn).toMatchObject({ texts: ["a", "b"], code: Status.ABORTED, message: "torn" });
    expect([torn.trailer("inferwire-reason"), torn.trailer("x-tail")]).toEqual(reasonAndTail);
    const none = await client.stream("fail");
    expect([none.code, none.trailer("x-tail")]).toEqual([Status.ABORTED, "tail"]);
  });

  it("is refused without the token, in its own words", async () => {
    const client = clientAt(url(await startWebHost({}, { token: "secret" })));
    for (const came of [await client.unary("a"), await client.stream("a")]) {
      expect([came.code, came.trailer("inferwire-reason")]).toEqual([
        Status.UNAUTHENTICATED,
        "UNAUTHENTICATED",
      ]);
    }
    const headers = { authorization: "Bearer secret" };
    expect(await client.unary("a", { headers })).toMatchObject({ texts: ["a"] });
  });

  it("is told when to come back by a host that is full", async () => {
    const { methods } = waitingMethods();
    const limits = { workerThreads: 1, maxQueueLength: 0 };
    const client = clientAt(url(await startWebHost(methods, limits)));
    const leaving = new AbortController();
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const first = client.stream("a", { signal: leaving.signal }, () => begin());
    await begun;
    const refused = await client.unary("b");
    expect(refused.trailer("inferwire-reason")).toBe("QUEUE_FULL");
    expect(Number(refused.trailer("grpc-retry-pushback-ms"))).toBeGreaterThan(0);
    leaving.abort();
    expect((await first).code).toBe(Status.CANCELLED);
  });

  it("ends at its deadline, and at the host's own limit", async () => {
    const { methods, reasons } = waitingMethods();
    const client = clientAt(url(await startWebHost(methods)));
    const asked = { timeoutMs: 100 };
    expect((await client.unary("a", asked)).code).toBe(Status.DEADLINE_EXCEEDED);
    expect(await client.stream("a", asked)).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    await until(() => reasons.length === 2);
    const slow = clientAt(url(await startWebHost(methods, { requestTimeoutMs: 100 })));
    expect((await slow.unary("a")).trailer("inferwire-reason")).toBe("DEADLINE_EXCEEDED");
    const silent = clientAt(url(await startWebHost(methods, { streamIdleTimeoutMs: 100 })));
    expect(await silent.stream("a")).toMatchObject({
      texts: ["a"],
      code: Status.DEADLINE_EXCEEDED,
      message: "no message of the stream came in or went out within 100 ms",
    });
  });

  it("tells the method when it leaves", async () => {
    const { methods, reasons } = waitingMethods();
    const client = clientAt(url(await startWebHost(methods)));
    const leaving = new AbortController();
    const { signal } = leaving;
    expect((await client.stream("a", { signal }, () => leaving.abort())).code).toBe(
      Status.CANCELLED,
    );
    await until(() => reasons.length === 1);
    const early = AbortSignal.timeout(50);
    expect((await client.unary("a", { signal: early })).code).not.toBe(0);
    await until(() => reasons.length === 2);
    expect(reasons).toEqual(["CANCELLED", "CANCELLED"]);
  });

  it("carries large messages, and is told of those that are too large", async () => {
    const large = "x".repeat(5 * 1024 * 1024);
    const limits = { maxJsonBytes: 3 * large.length };
    const client = clientAt(url(await startWebHost({}, { limits })));
    expect((await client.unary(large)).texts).toEqual([large]);
    expect((await client.stream(`${large},${large}`)).texts).toEqual([large, large]);
    const small = clientAt(url(await startWebHost({}, { maxMessageBytes: 1_000 })));
    const refused = await small.unary("x".repeat(2_000));
    expect([refused.code, refused.trailer("inferwire-reason")]).toEqual([
      Status.RESOURCE_EXHAUSTED,
      "MESSAGE_TOO_LARGE",
    ]);
  });

  it("works over TLS", async () => {
    const { ca, server } = createCertificates();
    const { port } = await startWebHost({}, { tls: server });
    const usual = getGlobalDispatcher();
    const trusting = new Agent({ connect: { ca } });
    setGlobalDispatcher(trusting);
    onTestFinished(async () => {
      setGlobalDispatcher(usual);
      await trusting.destroy();
    });
    const client = clientAt(`https://127.0.0.1:${port}`);
    expect(await client.unary("a")).toMatchObject({ texts: ["a"] });
    expect(await client.stream("a,b")).toMatchObject({ texts: ["a", "b"] });
  });

  it("is counted by its door", async () => {
    const host = await startWebHost({}, { token: "secret" });
    const headers = { authorization: "secret" };
    const client = clientAt(url(host));
    await client.unary("a", { headers });
    await client.unary("a");
    await client.unary("fail", { headers });
    const answer = await fetch(`${url(host)}/api/builtin/monitor`, { headers });
    const { methods } = (await answer.json()) as { methods: readonly Record<string, unknown>[] };
    expect(methods.map((each) => [each["door"], each["method"], each["status"]])).toEqual([
      [door, "/test.web.WebService/Unary", "OK"],
      [door, "/test.web.WebService/Unary", "UNAUTHENTICATED"],
      [door, "/test.web.WebService/Unary", "FAILED_PRECONDITION"],
    ]);
  });
});

describe("a processor in a lane", () => {
  it.each(["inline", "thread", "process"] as const)(
    "answers gRPC-Web and Connect from a %s",
    async (kind) => {
      const host = await startLaneHost(kind, { lanes: 1 });
      const client = createClient(PredictServiceDefinition, createChannel(url(host)));
      const { data } = await client.predict({ path: "who" });
      expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({ kind });
      const texts: string[] = [];
      for await (const piece of client.predictStream({ path: "who" }))
        texts.push(String(piece.data));
      expect(texts).toHaveLength(1);
      const answer = await post(
        host.port,
        `/${PredictServiceDefinition.fullName}/Predict`,
        '{"path": "who"}',
        { "content-type": "application/json" },
      );
      const { data: base64 } = JSON.parse(answer.text) as { data: string };
      expect(JSON.parse(Buffer.from(base64, "base64").toString())).toMatchObject({ kind });
    },
  );
});
