import type { ResolvedHostOptions } from "./host-options.js";

const helps: Readonly<Record<keyof ResolvedHostOptions, string>> = {
  adminToken: "token of builtins that change state",
  advertised: "address that the host registers",
  app: "application name that the host registers",
  callLogRatio: "part of all calls that leave a line in the log, 0 to 1",
  callsPerLane: "calls at a time in each lane; fewer take effect as calls end",
  checkContentMd5: "whether bodies are compared with their Content-MD5",
  cors: "web pages that may call",
  decompressor: "how request bodies over HTTP are compressed",
  directories: "directories that the host registers with",
  directoryTls: "TLS towards the directory",
  directoryToken: "token of the directory",
  endpoint: "what was bound",
  exposeErrors: "whether callers see the texts of errors that the processor throws",
  hangTimeoutMs: "how long one call may keep a lane silent before the lane is replaced, in ms",
  heartbeatTimeoutMs: "how long an idle lane may be silent and still counts as ready, in ms",
  lane: "where the processor runs: inline, thread or process",
  lanes: "number of lanes",
  leaseTtlMs: "how long a registration outlives its host, in ms",
  limits: "a limit of the port",
  loadReport: "whether answers tell of the host's load",
  logger: "where lines go",
  logLevel: "least level of lines that are written",
  maxQueueBytes: "bytes that waiting calls may hold; those that wait stay",
  maxQueueLength: "calls that may wait; those that wait stay",
  maxClockSkewMs: "how far the Date of a signed request may be off, in ms",
  metrics: "samples that realtime_metrics takes, with their help",
  middleware: "what runs around the processor",
  minReadyLanes: "lanes needed for the host to be ready",
  modelConfig: "what the processor was configured with",
  modelPath: "where the processor finds its model",
  module: "module that lanes load",
  name: "stable name of the instance",
  notices: "lines that were logged at the start",
  open: "what is answered without a token",
  otherPaths: "whether paths that nothing else answers reach the processor",
  preStopDelayMs: "wait between unready and the drain, in ms",
  readyCheckTimeoutMs: "how long isReady() may take, in ms",
  requestsPerSecond: "calls a second that are let in; 0 = any number",
  requestTimeoutMs: "longest time of a call, queueing included, in ms",
  service: "name of the service",
  streamIdleTimeoutMs: "longest gap between two pieces of an answer, in ms",
  terminationGracePeriodMs: "how long a stop waits for calls in progress, in ms",
  tls: "certificate and key of the port",
  token: "token that callers must send",
  warmUp: "payloads that are processed before the host is ready",
  weight: "share of traffic that the host registers; 0 = none",
  workerProcesses: "child processes",
  workerThreads: "threads, or calls at a time inline",
};

/** What a property that the processor declares does. */
export const ownPropertyHelp: string = "a property of the processor's own";

/** What a property of a host does, with its unit and range, in one line. */
export function propertyHelp(name: string): string {
  const [first = ""] = name.split(".");
  return Object.hasOwn(helps, first)
    ? helps[first as keyof ResolvedHostOptions]
    : `option ${name} of the host`;
}
