import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { type CliRunOptions, runCli, scratchFolder } from "../support/cli.js";
import { runCliInside } from "../support/cli-inside.js";
import { startTestDirectory } from "../support/directories.js";
import { startTestHost } from "../support/hosts.js";

interface Line {
  readonly instance: string;
  readonly name: string;
  readonly answer?: unknown;
  readonly error?: { readonly reason: string; readonly message: string };
}

async function builtin(
  args: readonly string[],
  options?: CliRunOptions,
): Promise<{ code: number | null; answers: Line[]; errors: Line[] }> {
  const { code, stdout, stderr } = await runCliInside(["builtin", ...args, "--json"], options);
  const lines = (text: string): Line[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  return { code, answers: lines(stdout), errors: lines(stderr) };
}

describe("inferwire builtin", () => {
  it("runs a builtin on every instance of a target, each with its own answer", async () => {
    const { port: directoryPort } = await startTestDirectory();
    const directory = `127.0.0.1:${directoryPort}`;
    const hosts = await Promise.all(
      ["one", "two"].map((name) => startTestHost({}, { service: "mnist", directory, name })),
    );
    const target = `directory://${directory}/mnist`;
    const { code, answers } = await builtin(["ping", target]);
    expect(code).toBe(0);
    const expected = hosts.map(({ port }) => `127.0.0.1:${port}`);
    expect(answers.map(({ instance }) => instance).toSorted()).toEqual(expected.toSorted());
    expect(answers.map(({ name }) => name).toSorted()).toEqual(["one", "two"]);
    for (const { name, answer } of answers) {
      expect(answer).toMatchObject({ service: "mnist", instance: name, state: "ready" });
    }

    const one = await builtin(["ping", target, "--instance", "two", "--data", "hello"]);
    expect(one.answers).toMatchObject([{ name: "two", answer: { echo: "hello" } }]);

    const refused = await builtin(["prop", target, "--set", "maxQueueLength=5"]);
    expect(refused).toMatchObject({
      code: 2,
      answers: [],
      errors: [{ error: { reason: "INVALID_OPTION" } }],
    });
    expect(refused.errors[0]?.error?.message).toContain("give --all, or --instance");

    const set = await builtin(["prop", target, "--set", "maxQueueLength=5", "--all"]);
    expect(set.code).toBe(0);
    const read = await builtin(["prop", target, "--query", "name=maxQueueLength"]);
    expect(read.answers).toHaveLength(2);
    for (const { answer } of [...set.answers, ...read.answers]) {
      expect(answer).toMatchObject({ properties: [{ name: "maxQueueLength", value: "5" }] });
    }

    const unknown = await builtin(["ping", target, "--instance", "tow"]);
    expect(unknown.code).toBe(2);
    expect(unknown.errors[0]?.error?.message).toContain('did you mean "two"?');
  });

  it("shows people the instance, and its answer below", async () => {
    const { port } = await startTestHost();
    const { code, stdout } = await runCli(["builtin", "monitor", `127.0.0.1:${port}`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^127.0.0.1:${port}\n  \\{\n    "methods": \\[\\],\n`));
  });

  it("reads reports, and records and reads samples", async () => {
    const { port } = await startTestHost({}, { metrics: { loss: "loss of a step" } });
    const target = `127.0.0.1:${port}`;
    const config = await builtin(["eastool", target, "--query", "report=config"]);
    expect(config.answers[0]?.answer).toMatchObject({ config: expect.anything() });
    const sample = '[{"name":"loss","value":0.5}]';
    expect(
      (await builtin(["realtime_metrics", target, "--data", "@-"], { stdin: sample })).code,
    ).toBe(0);
    const { answers } = await builtin(["realtime_metrics", target]);
    expect(answers[0]?.answer).toMatchObject({ seconds: expect.any(Array) });
  });

  it("stops a host in order", async () => {
    const host = await startTestHost();
    const { code, answers } = await builtin(["term", `127.0.0.1:${host.port}`]);
    expect({ code, answers }).toMatchObject({
      code: 0,
      answers: [{ answer: { gracePeriodMs: 30_000 } }],
    });
    await host.closed;
  });

  it("sends the admin token for what changes state, the other one else", async () => {
    const { port } = await startTestHost({}, { token: "user", adminToken: "root" });
    const target = `127.0.0.1:${port}`;
    const set = ["prop", target, "--set", "maxQueueLength=5", "--token", "user"];
    expect((await builtin(["prop", target, "--token", "user"])).code).toBe(0);
    expect(await builtin(set)).toMatchObject({ code: 6, errors: [{ instance: target }] });
    expect((await builtin([...set, "--admin-token", "root"])).code).toBe(0);
    const file = scratchFolder().write("token", "root\n");
    for (const env of [{ INFERWIRE_ADMIN_TOKEN: "root" }, { INFERWIRE_ADMIN_TOKEN_FILE: file }]) {
      expect((await builtin(set, { env: { ...env } })).code).toBe(0);
    }
  });

  it.each([
    ["text", "hello", 'is "hello", expected JSON'],
    ["nothing", "", 'is "", expected JSON'],
    ["JSON that is no object", "1", 'is "1", expected JSON'],
    ["no text", Buffer.from([0xff, 0xfe]), "is 2 bytes that are no text, expected JSON"],
  ])("takes 200 with %s for no answer of a host", async (_what, body, expected) => {
    const server = createServer((_request, response) => response.end(body));
    await once(server.listen(0, "127.0.0.1"), "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const { code, answers, errors } = await builtin(["term", `127.0.0.1:${port}`]);
      expect({ code, answers }).toEqual({ code: 4, answers: [] });
      expect(errors).toMatchObject([{ error: { reason: "ANSWER_MALFORMED" } }]);
      expect(errors[0]?.error?.message).toContain(expected);
    } finally {
      server.close();
    }
  });

  it("exits by the kind of the first failure, and shows the others' answers", async () => {
    const { port } = await startTestHost();
    const { code, answers, errors } = await builtin(["ping", `127.0.0.1:${port},127.0.0.1:1`]);
    expect(code).toBe(4);
    expect(answers).toHaveLength(1);
    expect(errors).toMatchObject([
      { instance: "127.0.0.1:1", error: { reason: "CONNECT_FAILED" } },
    ]);
  });

  it.each([
    [["pong", "127.0.0.1:1"], "Allowed choices are call, eastool, monitor, ping, prop"],
    [["ping", "127.0.0.1:1", "--set", "a=b"], "--set is for prop, not for ping"],
    [["prop", "127.0.0.1:1", "--set", "a"], '--set is "a", expected name=value'],
    [["monitor", "127.0.0.1:1", "--data", "x"], "monitor takes no --data"],
    [["ping", "nonsense"], "which has no port"],
  ])("says what is wrong with %j, and exits 2", async (args, expected) => {
    const { code, errors } = await builtin(args);
    expect(code).toBe(2);
    expect(errors[0]?.error?.message).toContain(expected);
  });
});
