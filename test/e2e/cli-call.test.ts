import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCertificates } from "../support/certificates.js";
import { type CliRunOptions, runCli, startCli } from "../support/cli.js";
import { runCliInside } from "../support/cli-inside.js";
import { startEcho } from "../support/client-echo.js";
import { startTestDirectory } from "../support/directories.js";
import { notesDescriptorSet, protoFolder, startNotes } from "../support/notes-service.js";

const folder = mkdtempSync(join(tmpdir(), "inferwire-call-"));
let host: Awaited<ReturnType<typeof startNotes>>;
let target = "";

beforeAll(async () => {
  host = await startNotes();
  target = `127.0.0.1:${host.address.port}`;
});

afterAll(async () => {
  await host.close({ gracePeriodMs: 0 });
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Answers of a call that works, by `--json`. */
async function answers(args: readonly string[], options?: CliRunOptions): Promise<unknown[]> {
  const { code, stdout, stderr } = await runCliInside(["call", ...args, "--json"], options);
  expect({ code, stderr: stderr.split("\n").length }, stderr).toEqual({ code: 0, stderr: 2 });
  return stdout.trim() === ""
    ? []
    : stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
}

/** The error of a call that fails, by `--json`. */
async function failure(
  args: readonly string[],
  options?: CliRunOptions,
): Promise<{ code: number | null; error: Record<string, unknown> }> {
  const { code, stderr } = await runCliInside(["call", ...args, "--json"], options);
  return { code, error: JSON.parse(stderr).error };
}

describe("inferwire call", () => {
  it("calls a method by reflection, and shows instance, attempts and timing beside the answer", async () => {
    const { code, stdout, stderr } = await runCli([
      "call",
      target,
      "Echo",
      "--data",
      '{"text":"hi"}',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{\n  "text": "hi"\n}\n' });
    expect(stderr).toMatch(
      new RegExp(
        `^${target}, 1 attempt, \\d+ ms \\(resolve \\d+, connect \\d+, wait \\d+, transfer \\d+\\)\n$`,
      ),
    );
  });

  it.each([
    "test.notes.v1.NotesService/Echo",
    "/test.notes.v1.NotesService/Echo",
    "test.notes.v1.NotesService.Echo",
    "NotesService.Echo",
    "v1.NotesService/Echo",
    "Echo",
  ])("takes %s for the method", async (name) => {
    expect(await answers([target, name, "--data", '{"text":"hi"}'])).toEqual([{ text: "hi" }]);
  });

  it("carries every form that JSON has for a field there and back", async () => {
    const note = {
      text: "é",
      size: "9007199254740993",
      mood: "MOOD_FINE",
      raw: "AAH/",
      tags: ["a", "b"],
      writtenAt: "2026-01-02T03:04:05Z",
      scores: { x: 0.5, y: "NaN" },
      reply: { text: "inner" },
      draft: false,
      number: 7,
      lines: [{ at: 1 }, {}],
    };
    expect(await answers([target, "Echo", "--data", JSON.stringify(note)])).toEqual([note]);
  });

  it("sends an empty request without --data, and one from a file or stdin", async () => {
    expect(await answers([target, "Echo"])).toEqual([{}]);
    const path = file("request.json", '{"text":"from a file"}');
    expect(await answers([target, "Echo", "--data", `@${path}`])).toEqual([
      { text: "from a file" },
    ]);
    const stdin = '{"text":\n"from stdin"}';
    expect(await answers([target, "Echo", "--data", "@-"], { stdin })).toEqual([
      { text: "from stdin" },
    ]);
  });

  it("prints streamed answers one a line", async () => {
    expect(await answers([target, "Split", "--data", '{"text":"a,b"}'])).toEqual([
      { text: "a" },
      { text: "b" },
    ]);
  });

  it("streams requests from a JSON list, a value a line, and stdin", async () => {
    expect(await answers([target, "Join", "--data", '[{"text":"a"},{"text":"b"}]'])).toEqual([
      { text: "a+b" },
    ]);
    expect(await answers([target, "Join", "--data", '{"text":"a"}\n{"text":"b"}'])).toEqual([
      { text: "a+b" },
    ]);
    const stdin = '{"text":"a"}\n\n{"text":"b"}';
    expect(await answers([target, "Talk", "--data", "@-"], { stdin })).toEqual([
      { text: "a!" },
      { text: "b!" },
    ]);
    expect(await answers([target, "Talk"])).toEqual([]);
  });

  it("sends lines of stdin as they come, and prints answers as they come", async () => {
    const talk = startCli(["call", target, "Talk", "--data", "@-", "--json"]);
    talk.child.stdin?.write('{"text":"one"}\n');
    await talk.said('{"text":"one!"}');
    talk.child.stdin?.write('{"text":"two"}\n');
    await talk.said('{"text":"two!"}');
    talk.child.stdin?.end();
    expect(await talk.exited).toBe(0);
  });

  it("sends headers, those that end in -bin in base64", async () => {
    const headers = ["--header", "X-Ask: a:b", "--header", "x-raw-bin:aGk="];
    const [answer] = await answers([target, "Echo", "--data", '{"text":"metadata"}', ...headers]);
    expect(JSON.parse((answer as { text: string }).text)).toMatchObject({
      "x-ask": "a:b",
      "x-raw-bin": "hi",
    });
  });

  it("knows the kit's own services without asking", async () => {
    const [answer] = await answers([target, "inferwire.builtin.v1.BuiltinService/Ping"]);
    expect(answer).toMatchObject({ state: "ready", pid: process.pid });
  });

  it("goes by a descriptor set or a proto when the server has no reflection", async () => {
    await using echo = await startEcho();
    const bare = `127.0.0.1:${echo.port}`;
    const { code, error } = await failure([bare, "Echo.Unary"]);
    expect({ code, ...error }).toMatchObject({ code: "UNIMPLEMENTED", reason: "CALL_FAILED" });
    expect(error["message"]).toContain("--descriptor-set or --proto");
    const proto = file(
      "echo.proto",
      'syntax = "proto3"; package test; message Any { bytes raw = 1; } service Echo { rpc Unary(Any) returns (Any); }',
    );
    const [template] = await answersWithoutReport([bare, "Unary", "--proto", proto, "--template"]);
    expect(template).toEqual({ raw: "" });
    const set = file("notes.binpb", notesDescriptorSet());
    expect(
      await answers([
        target,
        "NotesService/Echo",
        "--descriptor-set",
        set,
        "--data",
        '{"text":"x"}',
      ]),
    ).toEqual([{ text: "x" }]);
    const notes = join(protoFolder, "notes.proto");
    expect(
      await answers([target, "NotesService/Echo", "--proto", notes, "--data", '{"text":"x"}'], {
        cwd: process.cwd(),
      }),
    ).toEqual([{ text: "x" }]);
  });

  it("lists services and methods, the user's own first", async () => {
    const services = await answersWithoutReport([target, "--list"]);
    expect(services[0]).toMatchObject({ service: "test.notes.v1.NotesService" });
    expect(services).toHaveLength(5);
    const { stdout } = await runCliInside(["call", target, "--list"]);
    expect(stdout).toContain(
      "  test.notes.v1.NotesService/Join (stream test.notes.v1.Note) returns (test.notes.v1.Note)\n",
    );
  });

  it("prints a request to fill in, that can be sent as it is", async () => {
    const [template] = await answersWithoutReport([target, "Echo", "--template"]);
    expect(template).toEqual({
      text: "",
      size: "0",
      mood: "MOOD_UNSPECIFIED",
      raw: "",
      tags: [],
      writtenAt: "1970-01-01T00:00:00Z",
      scores: {},
      draft: false,
      name: "",
      lines: [{ at: 0 }],
    });
    await answers([target, "Echo", "--data", JSON.stringify(template)]);
  });

  it("finds instances by a directory", async () => {
    const { port, directory } = await startTestDirectory();
    const instance = { name: "one", ip: "127.0.0.1", port: host.address.port, weight: 100 };
    await directory.client.register({
      service: "notes",
      instance,
      ttl: { seconds: 10n, nanos: 0 },
    });
    expect(await answers([`directory://127.0.0.1:${port}/notes`, "Echo"])).toEqual([{}]);
  });
});

async function answersWithoutReport(args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await runCliInside(["call", ...args, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("inferwire call, what goes wrong", () => {
  it.each([
    ["no method", [], "no method is given; --list shows which there are"],
    [
      "a mistyped method",
      ["Ecko"],
      "there is no method Ecko, did you mean test.notes.v1.NotesService/Echo?",
    ],
    ["a mistyped service", ["NoteService.Echo"], "did you mean test.notes.v1.NotesService/Echo?"],
    ["text that is no JSON", ["Echo", "--data", "{"], "--data is not JSON"],
    [
      "a wrong field",
      ["Echo", "--data", '{"txt":"x"}'],
      'key "txt" is unknown, did you mean "text"?',
    ],
    [
      "a field of a wrong kind",
      ["Echo", "--data", '{"reply":{"text":1}}'],
      "field test.notes.v1.Note.text",
    ],
    [
      "a wrong line of a stream",
      ["Join", "--data", '{"text":"a"}\n{"tags":1}'],
      "--data, line 2: ",
    ],
    [
      "a wrong item of a stream",
      ["Join", "--data", '[{"text":"a"},{"tags":1}]'],
      "--data, item 2: ",
    ],
    ["a file that is not there", ["Echo", "--data", "@nowhere.json"], "--data names nowhere.json"],
    ["a header without value", ["Echo", "--header", "x"], '--header is "x", expected key:value'],
    ["a time that is none", ["Echo", "--timeout", "soon"], '--timeout is "soon"'],
    ["a certificate without key", ["Echo", "--cert", "x"], "--cert and --key"],
    ["an authority that is not there", ["Echo", "--ca", "nowhere.pem"], "--ca names nowhere.pem"],
    [
      "a set that is not there",
      ["Echo", "--descriptor-set", "nowhere"],
      "--descriptor-set nowhere",
    ],
    [
      "a proto that is not there",
      ["Echo", "--proto", "nowhere.proto"],
      "--proto names nowhere.proto",
    ],
  ])("says what is wrong with %s, and exits 2", async (_what, args, expected) => {
    const { code, error } = await failure([target, ...args]);
    expect({ code, reason: error["reason"] }).toEqual({ code: 2, reason: "INVALID_OPTION" });
    expect(error["message"]).toContain(expected);
  });

  it("names the methods that a name is ambiguous between", async () => {
    const proto = join(protoFolder, "notes.proto");
    const { code, error } = await failure([target, "Echo", "--proto", proto]);
    expect(code).toBe(2);
    expect(error["message"]).toContain(
      "more than one: test.notes.v1.CopyService/Echo, test.notes.v1.NotesService/Echo",
    );
  });

  it("shows file, line and column of a proto that does not compile", async () => {
    const proto = file("broken.proto", 'syntax = "proto3";\nmessage A {\n  Missing m = 1;\n}\n');
    const { code, error } = await failure([target, "Echo", "--proto", proto]);
    expect({ code, reason: error["reason"] }).toEqual({ code: 2, reason: "PROTO_INVALID" });
    expect(error["message"]).toMatch(/broken\.proto:3:3: /);
  });

  it("says what to install when buf is missing", async () => {
    const proto = file("fine.proto", 'syntax = "proto3";');
    const { code, error } = await failure([target, "Echo", "--proto", proto], { cwd: folder });
    expect({ code, reason: error["reason"] }).toEqual({ code: 2, reason: "PEER_MISSING" });
    expect(error["message"]).toContain("npm install --save-dev --save-exact @bufbuild/buf@");
  });

  it("exits 3 when nothing is listed, with what was tried", async () => {
    const { port } = await startTestDirectory();
    const { code, error } = await failure([
      `directory://127.0.0.1:${port}/nobody`,
      "Echo",
      "--timeout",
      "500",
    ]);
    expect(code).toBe(3);
    expect(error["message"]).toContain("nobody");
    const gone = await failure(["directory://127.0.0.1:1/nobody", "Echo", "--timeout", "500"]);
    expect(gone.code).toBe(3);
    expect(gone.error["message"]).toContain("127.0.0.1:1");
  });

  it("ends the process with the code, and says what is wrong to people", async () => {
    const { code, stdout, stderr } = await runCli(["call", target]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: no method is given; --list shows which there are \(/);
  });

  it("lets no answer command the terminal", async () => {
    const text = "a\r\n\u001b[2J\u009b31m\u202e";
    const { stdout } = await runCliInside([
      "call",
      target,
      "Echo",
      "--data",
      JSON.stringify({ text }),
    ]);
    expect(JSON.parse(stdout)).toEqual({ text });
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });

  it("exits 4 when no instance can be reached, with instance and attempts", async () => {
    const { code, error } = await failure(["127.0.0.1:1", "Echo", "--timeout", "500"]);
    expect(code).toBe(4);
    expect(error).toMatchObject({ instance: "127.0.0.1:1" });
    expect(error["attempts"]).not.toHaveLength(0);
  });

  it("exits by the kind of what the service answered", async () => {
    const { code, error } = await failure([target, "Fail"]);
    expect(code).toBe(4);
    expect(error).toMatchObject({
      code: "FAILED_PRECONDITION",
      remote: true,
      instance: target,
      attempts: [{ instance: target, reason: "CALL_FAILED" }],
    });
    const late = await failure([target, "Wait", "--timeout", "300"]);
    expect(late).toMatchObject({ code: 4, error: { reason: "DEADLINE_EXCEEDED" } });
  });

  it("needs the token where the host wants one, and takes it from flag, variable or file", async () => {
    const guarded = await startNotes({ token: "secret" });
    try {
      const at = `127.0.0.1:${guarded.address.port}`;
      expect(await failure([at, "Echo"])).toMatchObject({
        code: 6,
        error: { reason: "UNAUTHENTICATED" },
      });
      expect(await answers([at, "Echo", "--token", "secret"])).toEqual([{}]);
      expect(await answers([at, "Echo"], { env: { INFERWIRE_TOKEN: "secret" } })).toEqual([{}]);
      const env = { INFERWIRE_TOKEN_FILE: file("token", "secret\n") };
      expect(await answers([at, "Echo"], { env })).toEqual([{}]);
    } finally {
      await guarded.close({ gracePeriodMs: 0 });
    }
  });

  it("speaks TLS, with a certificate of its own where that is demanded", async () => {
    const { ca, server, client } = createCertificates();
    const secure = await startNotes({ tls: { ...server, clientCa: ca } });
    try {
      const at = `127.0.0.1:${secure.address.port}`;
      const tls = ["--ca", file("ca.pem", ca)];
      const own = ["--cert", file("c.pem", client.cert), "--key", file("c.key", client.key)];
      expect(await answers([at, "Echo", ...tls, ...own])).toEqual([{}]);
      expect((await failure([at, "Echo", ...tls, "--timeout", "500"])).code).toBe(4);
    } finally {
      await secure.close({ gracePeriodMs: 0 });
    }
  });

  it("cancels the call at Ctrl+C", async () => {
    const talk = startCli(["call", target, "Talk", "--data", "@-", "--json"]);
    talk.child.stdin?.write('{"text":"one"}\n');
    await talk.said("one!");
    talk.child.kill("SIGINT");
    expect(await talk.exited).toBe(4);
    expect(talk.output()).toContain("given up");
  });

  it("ends without a word when nobody reads its answers any more", async () => {
    const long = Array.from({ length: 20_000 }, () => "x").join(",");
    const request = file("long.json", JSON.stringify({ text: long }));
    const split = startCli(["call", target, "Split", "--data", `@${request}`, "--json"]);
    await split.said('{"text":"x"}');
    split.child.stdout?.destroy();
    expect(await split.exited).toBe(141);
    expect(split.output()).not.toContain("rror");
  });
});
