import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/core/serving-error.js";
import { codeOnlyOptions, environmentVariables } from "../../../src/host/environment-options.js";
import { hostDefaults } from "../../../src/host/host-options.js";
import { type HostOptionSources, hostOptionsFrom } from "../../../src/host/host-options-from.js";

const folder = mkdtempSync(join(tmpdir(), "inferwire-options-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A text for each option that a text can carry, and the value it stands for. */
const carried: readonly [string, string, Record<string, unknown>][] = [
  ["INFERWIRE_SERVICE", "group.sentiment", { service: "group.sentiment" }],
  ["INFERWIRE_ENDPOINT", ":9000", { endpoint: ":9000" }],
  ["INFERWIRE_TOKEN", "secret", { token: "secret" }],
  ["INFERWIRE_ADMIN_TOKEN", "admin", { adminToken: "admin" }],
  ["INFERWIRE_OPEN", "health, ping", { open: ["health", "ping"] }],
  ["INFERWIRE_OPEN", "", { open: [] }],
  ["INFERWIRE_LANE", "thread", { lane: "thread" }],
  ["INFERWIRE_WORKER_THREADS", "8", { workerThreads: 8 }],
  ["INFERWIRE_WORKER_PROCESSES", "2", { workerProcesses: 2 }],
  ["INFERWIRE_CALLS_PER_LANE", "3", { callsPerLane: 3 }],
  ["INFERWIRE_MODULE", "./model.js", { module: "./model.js" }],
  ["INFERWIRE_MODEL_PATH", "/models/a", { modelPath: "/models/a" }],
  ["INFERWIRE_MODEL_CONFIG", '{"depth": 3}', { modelConfig: { depth: 3 } }],
  ["INFERWIRE_HEARTBEAT_TIMEOUT_MS", "500", { heartbeatTimeoutMs: 500 }],
  ["INFERWIRE_HANG_TIMEOUT_MS", "Infinity", { hangTimeoutMs: Number.POSITIVE_INFINITY }],
  ["INFERWIRE_MIN_READY_LANES", "1", { minReadyLanes: 1 }],
  ["INFERWIRE_READY_CHECK_TIMEOUT_MS", "10", { readyCheckTimeoutMs: 10 }],
  ["INFERWIRE_WARM_UP", "warm.txt", { warmUp: "warm.txt" }],
  ["INFERWIRE_REQUEST_TIMEOUT_MS", "1e3", { requestTimeoutMs: 1000 }],
  ["INFERWIRE_STREAM_IDLE_TIMEOUT_MS", "9", { streamIdleTimeoutMs: 9 }],
  ["INFERWIRE_MAX_QUEUE_LENGTH", "0", { maxQueueLength: 0 }],
  ["INFERWIRE_MAX_QUEUE_BYTES", "1024", { maxQueueBytes: 1024 }],
  ["INFERWIRE_REQUESTS_PER_SECOND", "2.5", { requestsPerSecond: 2.5 }],
  ["INFERWIRE_MAX_MESSAGE_BYTES", "99", { maxMessageBytes: 99 }],
  [
    "INFERWIRE_CORS",
    '{"origins": ["https://app.example"]}',
    { cors: { origins: ["https://app.example"] } },
  ],
  ["INFERWIRE_LIMITS", '{"maxHeaderCount": 50}', { limits: { maxHeaderCount: 50 } }],
  ["INFERWIRE_PRE_STOP_DELAY_MS", "3000", { preStopDelayMs: 3000 }],
  ["INFERWIRE_TERMINATION_GRACE_PERIOD_MS", "1", { terminationGracePeriodMs: 1 }],
  ["INFERWIRE_DIRECTORY", "a:1,b:2", { directory: "a:1,b:2" }],
  ["INFERWIRE_DIRECTORY_TOKEN", "t", { directoryToken: "t" }],
  ["INFERWIRE_DIRECTORY_TLS", "true", { directoryTls: true }],
  ["INFERWIRE_DIRECTORY_TLS", "false", {}],
  ["INFERWIRE_DIRECTORY_TLS_SERVER_NAME", "d.local", { directoryTls: { serverName: "d.local" } }],
  ["INFERWIRE_LEASE_TTL_MS", "5000", { leaseTtlMs: 5000 }],
  ["INFERWIRE_ADVERTISE", "10.0.0.1:80", { advertise: "10.0.0.1:80" }],
  ["INFERWIRE_NAME", "one", { name: "one" }],
  ["INFERWIRE_WEIGHT", "0.5", { weight: 0.5 }],
  ["INFERWIRE_APP", "shop", { app: "shop" }],
  ["INFERWIRE_METRICS", '{"hits": "cache hits"}', { metrics: { hits: "cache hits" } }],
  ["INFERWIRE_DECOMPRESSOR", "zstd", { decompressor: "zstd" }],
  ["INFERWIRE_CHECK_CONTENT_MD5", "1", { checkContentMd5: true }],
  ["INFERWIRE_MAX_CLOCK_SKEW_MS", "60000", { maxClockSkewMs: 60_000 }],
  ["INFERWIRE_EXPOSE_ERRORS", "True", { exposeErrors: true }],
  ["INFERWIRE_OTHER_PATHS", "0", { otherPaths: false }],
  ["INFERWIRE_LOAD_REPORT", "true", { loadReport: true }],
  ["INFERWIRE_CALL_LOG_RATIO", ".1", { callLogRatio: 0.1 }],
  ["INFERWIRE_LOG_LEVEL", "warn", { logLevel: "warn" }],
];

const unreadable: readonly [string, string, RegExp][] = [
  ["INFERWIRE_MAX_QUEUE_LENGTH", "many", /^INFERWIRE_MAX_QUEUE_LENGTH is "many", expected a numb/],
  ["INFERWIRE_MAX_QUEUE_LENGTH", "", /^INFERWIRE_MAX_QUEUE_LENGTH is "", expected a number/],
  ["INFERWIRE_MAX_QUEUE_LENGTH", "-1", /^INFERWIRE_MAX_QUEUE_LENGTH is -1, expected an integer/],
  ["INFERWIRE_WORKER_THREADS", "0x10", /^INFERWIRE_WORKER_THREADS is "0x10", expected a number/],
  ["INFERWIRE_WEIGHT", "-1", /^INFERWIRE_WEIGHT is -1, expected 0 to/],
  ["INFERWIRE_EXPOSE_ERRORS", "yes", /^INFERWIRE_EXPOSE_ERRORS is "yes", expected true or false/],
  ["INFERWIRE_LANE", "threads", /^INFERWIRE_LANE is "threads", did you mean "thread"/],
  ["INFERWIRE_OPEN", "pign", /^INFERWIRE_OPEN is "pign", did you mean "ping"/],
  ["INFERWIRE_OPEN", "ping,", /^INFERWIRE_OPEN is ""/],
  ["INFERWIRE_SERVICE", "a/b", /^INFERWIRE_SERVICE is "a\/b", expected/],
  ["INFERWIRE_ENDPOINT", "8080", /^INFERWIRE_ENDPOINT is "8080", expected/],
  ["INFERWIRE_APP", "", /^INFERWIRE_APP is "", expected a text/],
  ["INFERWIRE_MODEL_CONFIG", "{", /^INFERWIRE_MODEL_CONFIG is not JSON/],
  ["INFERWIRE_METRICS", "[]", /^INFERWIRE_METRICS is a list of 0, expected a JSON object/],
  ["INFERWIRE_CORS", '{"origins": ["app.example"]}', /"app.example", expected origins/],
  ["INFERWIRE_LIMITS", '{"maxHeaders": 1}', /^INFERWIRE_LIMITS has no option "maxHeaders"/],
  ["INFERWIRE_TOKEN", "", /^INFERWIRE_TOKEN is empty, expected a token/],
  ["INFERWIRE_TOKEN", "two\nlines", /^INFERWIRE_TOKEN has a character that no header can carry/],
  ["INFERWIRE_TOKEN_FILE", "/none/t", /^INFERWIRE_TOKEN_FILE names "\/none\/t", which is unreadab/],
  ["INFERWIRE_MAX_QUEUE_LENGHT", "1", /did you mean "INFERWIRE_MAX_QUEUE_LENGTH"\?/],
  ["INFERWIRE_QQQQ", "1", /^INFERWIRE_QQQQ is no option's variable, expected one such as/],
  ["INFERWIRE_LOGGER", "x", /^INFERWIRE_LOGGER is no variable: logger can be given in code only/],
  ["INFERWIRE_DECOMPRESSOR", "gzap", /^INFERWIRE_DECOMPRESSOR is "gzap", did you mean "gzip"/],
];

const refuses = async (sources: HostOptionSources, message: RegExp): Promise<void> => {
  const refusal = await hostOptionsFrom(sources).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ConfigError);
  expect(String((refusal as ConfigError).message)).toMatch(message);
};

describe("hostOptionsFrom", () => {
  for (const [variable, text, expected] of carried) {
    it(`reads ${variable}=${text}`, async () => {
      expect(await hostOptionsFrom({ env: { [variable]: text } })).toEqual(expected);
    });
  }

  for (const [variable, text, message] of unreadable) {
    it(`refuses ${variable}=${JSON.stringify(text)}`, () =>
      refuses({ env: { [variable]: text } }, message));
  }

  it("has a way to give every option, or knows it as one of code alone", () => {
    const covered = new Set(environmentVariables.map(({ option }) => option));
    expect([...covered, ...codeOnlyOptions].toSorted()).toEqual(
      Object.keys(hostDefaults).toSorted(),
    );
    expect(codeOnlyOptions.toSorted()).toEqual(["logger", "middleware", "notices"]);
    const tried = new Set(carried.map(([variable]) => variable));
    const untried = environmentVariables.filter(({ variable }) => !tried.has(variable));
    expect(untried.every(({ form }) => form === "file")).toBe(true);
  });

  it("says nothing of its own: no sources, no options", async () => {
    const env = { PATH: "/bin", INFERWIRE_TOKEN: undefined };
    expect(await hostOptionsFrom({})).toEqual({});
    expect(await hostOptionsFrom({ env })).toEqual({});
  });

  it("lets the environment win over the file", async () => {
    const path = file("app.json", '\uFEFF{"name": "file", "token": "t", "metadata": {"cpu": 1}}');
    const env = { INFERWIRE_SERVICE: "environment" };
    const notices = ["service description: without effect here: metadata.cpu"];
    const expected = { service: "environment", token: "t", notices };
    expect(await hostOptionsFrom({ env, file: path })).toEqual(expected);
    expect(await hostOptionsFrom({ env, file: pathToFileURL(path) })).toEqual(expected);
    expect(await hostOptionsFrom({ env, file: pathToFileURL(path).href })).toEqual(expected);
  });

  it("takes what the file names from beside it", async () => {
    mkdirSync(join(folder, "package"), { recursive: true });
    const path = file("package/app.json", '{"warm_up_data_path": "warm.bin"}');
    expect(await hostOptionsFrom({ file: path })).toEqual({
      warmUp: join(folder, "package", "warm.bin"),
    });
  });

  it("refuses a file that is missing or no JSON, and shows nothing of what is in it", async () => {
    await refuses(
      { file: "/none/app.json" },
      /"\/none\/app\.json" is unreadable, expected a service description/,
    );
    await refuses({ file: "https://a/app.json" }, /sources\.file is "https:\/\/a\/app\.json", exp/);
    await refuses({ file: "" }, /sources\.file is "", expected a text/);
    const broken = file("broken.json", '{"token": secret}');
    await refuses({ file: broken }, /broken\.json is not JSON$/);
    const cut = file("cut.json", '{"token": "secret" x');
    await refuses({ file: cut }, /cut\.json:1:20 is not JSON$/);
  });

  it("refuses sources it does not know", () =>
    refuses({ environment: {} } as HostOptionSources, /sources has no option "environment"/));

  it("reads tokens from files, without the newline that ends them", async () => {
    const env = {
      INFERWIRE_TOKEN_FILE: file("token", "secret\n"),
      INFERWIRE_ADMIN_TOKEN_FILE: file("admin", "admin\r\n"),
      INFERWIRE_DIRECTORY_TOKEN_FILE: file("directory", "directory"),
    };
    expect(await hostOptionsFrom({ env })).toEqual({
      token: "secret",
      adminToken: "admin",
      directoryToken: "directory",
    });
  });

  it("refuses a token file of several lines, and a token given twice", async () => {
    const lines = file("lines", "secret\nsecond\n");
    await refuses(
      { env: { INFERWIRE_TOKEN_FILE: lines } },
      /^INFERWIRE_TOKEN_FILE has a character that no header can carry[^"]*$/,
    );
    await refuses(
      { env: { INFERWIRE_TOKEN: "a", INFERWIRE_TOKEN_FILE: lines } },
      /^INFERWIRE_TOKEN and INFERWIRE_TOKEN_FILE are both given, expected one/,
    );
  });

  it("refuses TLS that is incomplete or given in two ways", async () => {
    const ca = file("nonsense.pem", "nonsense");
    await refuses({ env: { INFERWIRE_TLS_CERT_FILE: ca } }, /^INFERWIRE_TLS needs both cert and/);
    await refuses(
      { env: { INFERWIRE_DIRECTORY_TLS_CA_FILE: ca } },
      /^INFERWIRE_DIRECTORY_TLS\.ca is no PEM/,
    );
    await refuses(
      { env: { INFERWIRE_DIRECTORY_TLS: "0", INFERWIRE_DIRECTORY_TLS_CA_FILE: ca } },
      /^INFERWIRE_DIRECTORY_TLS and INFERWIRE_DIRECTORY_TLS_CA_FILE are both given/,
    );
  });
});
