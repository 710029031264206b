import { describe, expect, it } from "vitest";
import { boundPort, startProgram } from "../support/programs.js";
import { http, post } from "../support/raw-http.js";

const messages = (output: string): string[] =>
  output
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

describe("run()", () => {
  it("names each step of the start, builtins with their paths, and stops in order on SIGTERM", async () => {
    const host = startProgram("host.mjs", ['{"service":"digits"}']);
    await host.said("service started");
    for (const step of ["service created", "port bound", "builtins installed", "lane ready"]) {
      expect(messages(host.output())).toContain(step);
    }
    expect(host.output()).toContain('"/api/builtin/monitor"');
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
    expect(messages(host.output()).slice(-3)).toEqual([
      "shutting down ... press Ctrl+C again to force quit",
      "stopping",
      "stopped",
    ]);
  });

  it("lets a call in progress end on the first SIGINT", async () => {
    const host = startProgram("host.mjs", ['{"name":"kept"}']);
    await host.said("service started");
    const port = boundPort(host);
    const slow = post(port, "/", "slow");
    while (JSON.parse((await http(port, "/api/builtin/monitor")).text).inFlight < 1);
    host.child.kill("SIGINT");
    expect((await slow).text).toBe("kept");
    expect(await host.exited).toBe(0);
  });

  it("quits at once on the second SIGINT", async () => {
    const host = startProgram("host.mjs", ['{"preStopDelayMs":60000}']);
    await host.said("service started");
    host.child.kill("SIGINT");
    await host.said("press Ctrl+C again");
    host.child.kill("SIGINT");
    expect(await host.exited).toBe(130);
  });

  it("stops in order on SIGTERM while initialize() hangs", async () => {
    const host = startProgram("host.mjs", [], { TEST_INITIALIZE: "hang" });
    await host.said("builtin");
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
    expect(messages(host.output()).slice(-3)).toEqual([
      "shutting down ... press Ctrl+C again to force quit",
      "stopping",
      "stopped",
    ]);
  });

  it("ends with 1 and the reason on the last line when initialize() throws", async () => {
    const host = startProgram("host.mjs", [], { TEST_INITIALIZE: "throw" });
    expect(await host.exited).toBe(1);
    const last = host.output().trim().split("\n").at(-1) ?? "";
    expect(last).toContain("could not start: initialize() threw: model.bin is missing");
  });

  it("ends with 1 and the address when the port is taken", async () => {
    const first = startProgram("host.mjs");
    await first.said("service started");
    const taken = `127.0.0.1:${boundPort(first)}`;
    const second = startProgram("host.mjs", [JSON.stringify({ endpoint: taken })]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`could not start: ${taken} is taken by another process`);
  });

  it("ends with 1 for an option that does not exist", async () => {
    const host = startProgram("host.mjs", ['{"endpiont":":1"}']);
    expect(await host.exited).toBe(1);
    expect(host.output()).toContain('did you mean "endpoint"?');
  });

  it("ends with 0 when term stops it", async () => {
    const host = startProgram("host.mjs");
    await host.said("service started");
    expect((await post(boundPort(host), "/api/builtin/term", "")).status).toBe(200);
    expect(await host.exited).toBe(0);
  });
});
