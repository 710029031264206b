import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostOptions, LaneKind, Processor } from "inferwire/host";
import { BuiltinServiceDefinition, PredictServiceDefinition } from "inferwire/proto";
import { type Channel, type Client, createChannel, createClient, type Metadata } from "nice-grpc";
import { afterEach, onTestFinished } from "vitest";
import { HealthDefinition } from "../../gen/grpc/health/v1/health.js";
import { boundPort } from "./hosts.js";
import { programUrl } from "./programs.js";
import { http, post, reasonOf } from "./raw-http.js";
import { type LogLine, recordingLogger } from "./recording-logger.js";

/** What a lane of `host-lanes.mjs` says of itself. */
export interface LaneView {
  readonly kind: LaneKind;
  readonly index: number;
  readonly count: number;
  readonly pid: number;
  readonly threadId: number;
  readonly depth: string;
  readonly told: readonly string[];
  readonly events: readonly string[];
}

/** What `monitor` says of a lane. */
export interface LaneLoadView {
  readonly kind: string;
  readonly index: number;
  readonly state: string;
  readonly inFlight: number;
  readonly calls: number;
  readonly restarts: number;
}

/** Options of a host with so many lanes of a kind. */
export function laneOptions(kind: LaneKind, lanes: number): HostOptions {
  if (kind === "process") return { lane: kind, workerProcesses: lanes };
  return kind === "thread" ? { lane: kind, workerThreads: lanes } : { lane: kind };
}

/** The processor that a module exports. */
export async function labOf(
  file: "host-lanes.mjs" | "host-lanes-stamped.mjs",
): Promise<new (options?: HostOptions) => Processor> {
  const { processor } = (await import(programUrl(file))) as {
    processor: new (options?: HostOptions) => Processor;
  };
  return processor;
}

/** A host with lanes, seen through its port. */
export class LaneHost {
  readonly port: number;
  readonly lines: readonly LogLine[];
  #channel: Channel | undefined;

  constructor(port: number, lines: readonly LogLine[] = []) {
    this.port = port;
    this.lines = lines;
  }

  get channel(): Channel {
    this.#channel ??= createChannel(`127.0.0.1:${this.port}`);
    return this.#channel;
  }

  get predict(): Client<typeof PredictServiceDefinition> {
    return createClient(PredictServiceDefinition, this.channel);
  }

  get builtin(): Client<typeof BuiltinServiceDefinition> {
    return createClient(BuiltinServiceDefinition, this.channel);
  }

  /** Statuses that a Watch of its health gives, from now on, each as it comes; until the test ends. */
  watchHealth(): readonly number[] {
    const seen: number[] = [];
    const leaving = new AbortController();
    onTestFinished(() => leaving.abort());
    const client = createClient(HealthDefinition, this.channel);
    const watch = async (): Promise<void> => {
      for await (const { status } of client.watch({}, { signal: leaving.signal }))
        seen.push(status);
    };
    watch().catch(() => {});
    return seen;
  }

  /** What `/readyz` says: its status and the host's state. */
  async readiness(): Promise<string> {
    const { status, text } = await http(this.port, "/readyz");
    return `${status} ${(JSON.parse(text) as { state: string }).state}`;
  }

  async lanes(): Promise<readonly LaneLoadView[]> {
    const { text } = await http(this.port, "/api/builtin/monitor");
    return (JSON.parse(text) as { lanes: readonly LaneLoadView[] }).lanes;
  }

  async queueLength(): Promise<number> {
    const { text } = await http(this.port, "/api/builtin/monitor");
    return (JSON.parse(text) as { queueLength: number }).queueLength;
  }

  async restarts(): Promise<readonly number[]> {
    return (await this.lanes()).map(({ restarts }) => restarts);
  }

  /** Calls the processor over HTTP: what came back, or the status and reason of a failure. */
  async call(path: string, body = ""): Promise<string> {
    const answer = await post(this.port, `/${path}`, body);
    return answer.status === 200 ? answer.text : `${answer.status} ${reasonOf(answer)}`;
  }

  /** Calls the processor over gRPC: what came back, or the code and reason of a failure. */
  async callGrpc(path: string, body = ""): Promise<string> {
    let reason: unknown;
    const onTrailer = (trailer: Metadata): void => {
      reason = trailer.get("inferwire-reason");
    };
    try {
      const { data } = await this.predict.predict({ path, data: Buffer.from(body) }, { onTrailer });
      return Buffer.from(data).toString();
    } catch (thrown) {
      return `${(thrown as { code: number }).code} ${String(reason)}`;
    }
  }

  /** What each of so many lanes says of itself, in their order; calls take turns. */
  async views(count: number): Promise<readonly LaneView[]> {
    const views = new Map<number, LaneView>();
    while (views.size < count) {
      const view = JSON.parse(await this.call("who")) as LaneView;
      views.set(view.index, view);
    }
    return [...views.values()].sort((a, b) => a.index - b.index);
  }

  /** Closes what was opened to it. */
  async close(): Promise<void> {
    this.#channel?.close();
  }
}

const running: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((host) => host.close()));
});

type LabModule = Parameters<typeof labOf>[0];

/** Options of a host, and how many lanes it has: 2 unless told otherwise. */
export type LaneHostOptions = HostOptions & { readonly lanes?: number };

/** Starts a host of a processor; it is closed after the test. */
export async function startLaneHost(
  kind: LaneKind,
  options: LaneHostOptions = {},
  file: LabModule = "host-lanes.mjs",
): Promise<LaneHost> {
  return await (await launchLaneHost(kind, options, file)).started;
}

/** Starts a host of a processor, and gives it as soon as its port is bound. */
export async function launchLaneHost(
  kind: LaneKind,
  options: LaneHostOptions = {},
  file: LabModule = "host-lanes.mjs",
): Promise<{ readonly host: LaneHost; readonly started: Promise<LaneHost> }> {
  const { lanes = 2, ...given } = options;
  const { lines, logger } = recordingLogger();
  const Lab = await labOf(file);
  const starting = new Lab({
    ...laneOptions(kind, lanes),
    module: programUrl(file),
    endpoint: "127.0.0.1:0",
    logger,
    ...given,
  }).start();
  const port = await Promise.race([boundPort(lines), starting.then(({ address }) => address.port)]);
  const host = new LaneHost(port, lines);
  running.push(host, { close: async () => (await starting).close({ gracePeriodMs: 0 }) });
  return { host, started: starting.then(() => host) };
}

/** A file that is there or not, which processes and threads wait for. */
export interface Flag {
  readonly path: string;
  raise(): void;
  lower(): void;
}

/** Makes a flag that is not there; it is gone after the test. */
export function flag(): Flag {
  const folder = mkdtempSync(join(tmpdir(), "inferwire-"));
  const path = join(folder, "flag");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return {
    path,
    raise: () => writeFileSync(path, ""),
    lower: () => {
      if (existsSync(path)) rmSync(path);
    },
  };
}
