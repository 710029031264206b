import { describe, expect, it } from "vitest";
import { chaosRequest, inPieces } from "../../../../src/cli/chaos/request.js";
import { framed } from "../../../../src/cli/chaos/wire-client.js";
import { createTerminal } from "../../../../src/cli/terminal.js";
import { predictRpc, predictStreamRpc } from "../../../../src/wire/predict.js";
import { recordedWorld } from "../../../support/cli-world.js";

const world = recordedWorld();
const { signal } = world;
const context = {
  ...world,
  terminal: createTerminal({ ...world, json: false }),
  token: undefined,
  debug: false,
};

/** A host that has loaded a processor; the port of nobody. */
const hostWith = (takesBytes: boolean, methods: readonly string[]) => ({
  port: 1,
  lines: [{ level: "info", message: "processor loaded", fields: { takesBytes, methods } }],
});

describe("chaosRequest", () => {
  it.each([
    [Buffer.from([0, 255, 10]), Buffer.from([0, 255, 10])],
    [undefined, Buffer.alloc(0)],
  ])("gives process() the bytes as they are: %s", async (payload, data) => {
    const asked = { flags: {}, payload, context, signal };
    const request = await chaosRequest(hostWith(true, []), asked);
    const message = predictRpc.encodeRequest({ service: "", path: "", data });
    expect(request).toEqual({ path: predictRpc.path, body: framed(message) });
    expect(inPieces(request)).toEqual({ ...request, path: predictStreamRpc.path });
  });

  it("turns JSON into a method's request", async () => {
    const flags = { method: predictRpc.path };
    const payload = Buffer.from('{"data":"aGk="}');
    const request = await chaosRequest(hostWith(false, []), { flags, payload, context, signal });
    const message = predictRpc.encodeRequest({ service: "", path: "", data: Buffer.from("hi") });
    expect(request).toEqual({ path: predictRpc.path, body: framed(message) });
  });

  it("names the methods when none is chosen of several", async () => {
    const host = hostWith(false, ["/test.Two/One", "/test.Two/Other"]);
    const asked = { flags: {}, payload: undefined, context, signal };
    await expect(chaosRequest(host, asked)).rejects.toThrow(
      "--method is missing, expected one of test.Two/One, test.Two/Other",
    );
  });

  it("names what does not fit the message", async () => {
    const flags = { method: predictRpc.path };
    const payload = Buffer.from('{"dat":1}');
    const asked = { flags, payload, context, signal };
    await expect(chaosRequest(hostWith(false, []), asked)).rejects.toThrow(/--data: .*dat/);
  });
});
