import { createClient as createKitClient } from "inferwire/client";
import type { Call } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { createChannel, createClient, Metadata } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { HealthDefinition } from "../../gen/grpc/health/v1/health.js";
import { ServerReflectionDefinition } from "../../gen/grpc/reflection/v1/reflection.js";
import { boundPort, startTestHost } from "../support/hosts.js";
import { parsePrometheus } from "../support/prometheus.js";
import { http, post } from "../support/raw-http.js";
import { type LogLine, recordingLogger } from "../support/recording-logger.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const token = { authorization: "secret" };

function channelTo(port: number): ReturnType<typeof createChannel> {
  const channel = createChannel(`127.0.0.1:${port}`);
  onTestFinished(() => channel.close());
  return channel;
}

const health = (port: number) => createClient(HealthDefinition, channelTo(port));
const predict = (port: number) => createClient(PredictServiceDefinition, channelTo(port));

async function metrics(port: number) {
  return parsePrometheus((await http(port, "/metrics")).text);
}

describe("grpc.health.v1.Health", () => {
  it("checks and lists the host and its services, without a token", async () => {
    const { port } = await startTestHost({}, { service: "echo", token: "secret" });
    const client = health(port);
    for (const service of ["", "echo", "inferwire.predict.v1.PredictService"]) {
      expect(await client.check({ service })).toEqual({ status: 1 });
    }
    await expect(client.check({ service: "none" })).rejects.toMatchObject({ code: 5 });
    const { statuses } = await client.list({});
    expect(statuses?.get("echo")).toEqual({ status: 1 });
    expect(statuses?.has("grpc.health.v1.Health")).toBe(true);
  });

  it("answers while the host starts", async () => {
    const { lines, logger } = recordingLogger();
    let ready = (): void => {};
    const initialize = (): Promise<void> =>
      new Promise((resolve) => {
        ready = resolve;
      });
    const starting = startTestHost({ initialize }, { logger });
    const port = await boundPort(lines);
    const client = health(port);
    expect(await client.check({})).toEqual({ status: 2 });
    const answer = await http(port, "/readyz", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([503, ""]);
    ready();
    await starting;
    expect(await client.check({})).toEqual({ status: 1 });
    expect((await http(port, "/readyz")).text).toBe('{"state":"ready"}\n');
  });

  it("watches a host to its end, and does not hold that up", async () => {
    const host = await startTestHost();
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { status } of health(host.port).watch({})) {
        seen.push(Number(status));
        if (seen.length === 1) host.close({ gracePeriodMs: 20_000 }).catch(() => {});
      }
    })();
    await expect(watching).rejects.toMatchObject({ code: 14 });
    expect(seen).toEqual([1, 2]);
    await host.closed;
  }, 10_000);
});

describe("reflection", () => {
  it("lists what the host answers, and describes it", async () => {
    const { port } = await startTestHost({}, { open: ["reflection"], token: "secret" });
    const client = createClient(ServerReflectionDefinition, channelTo(port));
    const symbol = "inferwire.predict.v1.PredictService";
    async function* questions() {
      yield { messageRequest: { $case: "listServices" as const, value: "" } };
      yield { messageRequest: { $case: "fileContainingSymbol" as const, value: symbol } };
    }
    const answers = [];
    for await (const answer of client.serverReflectionInfo(questions())) answers.push(answer);
    const [list, file] = answers.map(({ messageResponse }) => messageResponse);
    if (list?.$case !== "listServicesResponse") throw new Error(`got ${list?.$case}`);
    expect(list.value.service.map(({ name }) => name)).toContain(symbol);
    if (file?.$case !== "fileDescriptorResponse") throw new Error(`got ${file?.$case}`);
    const text = Buffer.from(file.value.fileDescriptorProto[0] ?? []).toString("latin1");
    expect(text).toContain("inferwire/predict/v1/predict.proto");
  });

  it("wants the token unless it is open", async () => {
    const { port } = await startTestHost({}, { token: "secret" });
    const client = createClient(ServerReflectionDefinition, channelTo(port));
    const first = client.serverReflectionInfo((async function* () {})())[Symbol.asyncIterator]();
    await expect(first.next()).rejects.toMatchObject({ code: 16 });
  });
});

describe("/metrics", () => {
  it("wants the token unless it is open, and takes HEAD", async () => {
    const { port } = await startTestHost({}, { token: "secret" });
    expect((await http(port, "/metrics")).status).toBe(401);
    expect((await http(port, "/metrics", { headers: token })).status).toBe(200);
    const open = await startTestHost({}, { token: "secret", open: ["metrics"] });
    const head = await http(open.port, "/metrics", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers.get("content-type")).toContain("version=0.0.4");
    expect((await post(open.port, "/metrics", "", token)).status).toBe(405);
  });

  it("counts the calls of all doors, those that are refused too", async () => {
    const { port } = await startTestHost(
      {
        process: (data) => {
          if (data.length === 0) throw new Error("empty");
          return data;
        },
      },
      { token: "secret", open: ["metrics", "health"], service: "echo" },
    );
    const client = predict(port);
    const metadata = Metadata(token);
    await client.predict({ data: Buffer.from("x") }, { metadata });
    await client.predict({}, { metadata }).catch(() => {});
    await client.predict({ data: Buffer.from("x") }).catch(() => {});
    await health(port).check({});
    await post(port, "/api/predict/echo", "x", token);
    await post(port, "/api/predict/echo", "x");
    await http(port, "/api/predict/echo", { headers: token });
    const { value } = await metrics(port);
    const labels = {
      grpc_type: "unary",
      grpc_service: "inferwire.predict.v1.PredictService",
      grpc_method: "Predict",
    };
    expect(value("grpc_server_started_total", labels)).toBe(3);
    const handled = (grpc_code: string) =>
      value("grpc_server_handled_total", { ...labels, grpc_code });
    expect(["OK", "Unknown", "Unauthenticated"].map(handled)).toEqual([1, 1, 1]);
    expect(value("grpc_server_msg_received_total", labels)).toBe(2);
    expect(value("grpc_server_msg_sent_total", labels)).toBe(1);
    const checks = { ...labels, grpc_service: "grpc.health.v1.Health", grpc_method: "Check" };
    expect(value("grpc_server_handled_total", { ...checks, grpc_code: "OK" })).toBe(1);
    const route = { route: "/api/predict", method: "POST" };
    const answered = (code: string) => value("inferwire_http_requests_total", { ...route, code });
    expect(["200", "401"].map(answered)).toEqual([1, 1]);
    expect(value("inferwire_refusals_total", { reason: "UNAUTHENTICATED" })).toBe(2);
    expect(value("inferwire_refusals_total", { reason: "METHOD_NOT_ALLOWED" })).toBe(1);
    expect(value("request_predict_seconds_count", { model_name: "echo" })).toBe(3);
  });
});

describe("a trace", () => {
  it("goes on from a call to the calls made for it, and into log lines", async () => {
    const seen: Call["trace"][] = [];
    const inner = await startTestHost({
      process(data, call) {
        seen.push(call.trace);
        return data;
      },
    });
    const client = createKitClient(PredictServiceDefinition, {
      target: `static:///127.0.0.1:${inner.port}`,
    });
    onTestFinished(() => client[Symbol.asyncDispose]());
    const { lines, logger } = recordingLogger();
    const outer = await startTestHost(
      {
        async process(data, call) {
          call.logger.info({}, "asking");
          await client.predict({ data });
          const own = Metadata({ traceparent: traceparent.replace("b7", "c8") });
          await client.predict({ data }, { metadata: own });
          return data;
        },
      },
      { logger },
    );
    const metadata = Metadata({ traceparent, tracestate: "a=1" });
    await predict(outer.port).predict({}, { metadata });
    await predict(outer.port).predict({});
    expect(seen.map((trace) => trace?.traceparent)).toEqual([
      traceparent,
      traceparent.replace("b7", "c8"),
      undefined,
      traceparent.replace("b7", "c8"),
    ]);
    expect(seen[0]).toMatchObject({ traceId, sampled: true, tracestate: "a=1" });
    const asked = lines.filter(({ message }) => message === "asking");
    expect(asked.map(({ fields }) => fields["traceId"])).toEqual([traceId, undefined]);
  });
});

describe("log lines of calls", () => {
  it("say of a failed call once at error level why, and once as a warning how it ended", async () => {
    const { lines, logger } = recordingLogger();
    const { port } = await startTestHost(
      {
        process: () => {
          throw new Error("deep");
        },
      },
      { logger },
    );
    await post(port, "/api/predict/any", "x", { "x-request-id": "r-1", traceparent });
    const failed = lines.filter(({ message }) => message.includes("failed"));
    expect(failed.map(({ level, message }) => [level, message])).toEqual([
      ["error", "process() failed"],
      ["warn", "call failed"],
    ]);
    expect(failed[1]?.fields).toMatchObject({
      door: "eas",
      method: "POST /api/predict",
      status: "400",
      reason: "PROCESSOR_THREW",
      requestId: "r-1",
      traceId,
    });
  });

  it("say of calls that went well as many as callLogRatio asks for", async () => {
    const { lines, logger } = recordingLogger();
    const { port } = await startTestHost({}, { logger, callLogRatio: 0.5 });
    for (let i = 0; i < 4; i++) await post(port, "/api/predict/any", "x");
    const served = (each: LogLine) => each.message === "call served";
    expect(lines.filter(served)).toHaveLength(2);
  });
});
