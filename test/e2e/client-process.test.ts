import { describe, expect, it } from "vitest";
import { runScript } from "../support/client-child.js";
import { startEcho } from "../support/client-echo.js";
import { startMuteServer } from "../support/client-sockets.js";

/** A client in a process of its own, with a call function that prints how the call went. */
function script(target: string, body: string, options = ""): string {
  return `
    import { createClient } from "inferwire/client";
    const codec = {
      requestSerialize: ({ text }) => Buffer.from(text),
      requestDeserialize: (bytes) => ({ text: String(bytes) }),
      responseSerialize: ({ text }) => Buffer.from(text),
      responseDeserialize: (bytes) => ({ text: Buffer.from(bytes).toString() }),
    };
    const unary = { path: "/test.Echo/Unary", requestStream: false, responseStream: false, options: {}, ...codec };
    const client = createClient({ unary }, { target: "${target}", ${options} });
    const call = (text) => client.unary({ text }).then(
      (answer) => console.log(answer.text),
      (error) => console.log(error.reason),
    );
    ${body}
  `;
}

describe("createClient: the process", () => {
  it("lives no longer for an idle client, connected or not", async () => {
    await using server = await startEcho();
    const target = `127.0.0.1:${server.port}`;
    const used = await runScript(script(target, `await call("hello");`));
    expect(used).toMatchObject({ code: 0, output: "hello" });
    expect(used.durationMs).toBeLessThan(5_000);
    expect(await runScript(script(target, ""))).toMatchObject({ code: 0, output: "" });
  });

  it("lives no longer for tries to reach an instance that is gone", async () => {
    const run = await runScript(
      script("127.0.0.1:1", `await call("hello");`, "connectTimeoutMs: 200"),
    );
    expect(run).toMatchObject({ code: 0, output: "CONNECT_FAILED" });
  });

  it("lives as long as a call is under way, or waits for a list or a connection", async () => {
    await using server = await startEcho();
    const slow = script(`127.0.0.1:${server.port}`, `call("sleep 300");`);
    expect(await runScript(slow)).toMatchObject({ code: 0, output: "sleep 300" });
    await using mute = await startMuteServer();
    const options = "connectTimeoutMs: 300, firstListTimeoutMs: 300";
    const waiting = script(`127.0.0.1:${mute.port}`, `call("a");`, options);
    expect(await runScript(waiting)).toMatchObject({ code: 0, output: "CONNECT_FAILED" });
    const list = `http://127.0.0.1:${mute.port}/api/v1/servicediscovery/upstreams/echo`;
    const run = await runScript(script(list, `call("a");`, options));
    expect(run).toMatchObject({
      code: 0,
      output: expect.stringMatching(/LIST_TIMEOUT|DIRECTORY_FAILED/),
    });
  });

  it("has these names to import, and no others", async () => {
    const run = await runScript(`
      console.log(Object.keys(await import("inferwire/client")).sort().join());
    `);
    expect(run.output).toBe(
      "CallError,Metadata,Status,channelOf,clientMetricsText,closeClient,createClient,openChannel",
    );
  });
});
