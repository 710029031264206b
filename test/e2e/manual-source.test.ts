import { createClient } from "inferwire/client";
import { implement } from "inferwire/host";
import { createPair, type ManualInstance, manualSource } from "inferwire/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { EchoDefinition } from "../support/client-echo.js";

async function hostOf(name: string): Promise<ManualInstance> {
  const processor = implement(EchoDefinition, {
    unary: async () => ({ text: name }),
    pure: async () => ({ text: name }),
    async *serverStream() {},
    clientStream: async () => ({ text: name }),
    async *bidi() {},
  });
  const pair = await createPair(processor, { definition: EchoDefinition });
  onTestFinished(() => pair.close());
  return pair.host.address;
}

describe("manualSource", () => {
  it("is followed by every channel on it, and may come late", async () => {
    const [a, b] = [await hostOf("a"), await hostOf("b")];
    const source = manualSource();
    const channels = [source.openChannel(), source.openChannel({ timeoutMs: 2_000 })];
    const clients = channels.map((channel) => createClient(EchoDefinition, { channel }));
    const ask = async () =>
      (await Promise.all(clients.map((client) => client.unary({ text: "" })))).map((e) => e.text);
    const waiting = ask();
    source.set([a]);
    expect(await waiting).toEqual(["a", "a"]);
    source.set([a, { ...b, weight: 0 }]);
    expect(await ask()).toEqual(["a", "a"]);
    source.set([b]);
    expect(await ask()).toEqual(["b", "b"]);
    source.set([]);
    await expect(ask()).rejects.toMatchObject({ reason: "NO_INSTANCE" });
    for (const channel of channels) await channel.close();
    source.set([a]);
  });

  it("refuses what no instance can be", () => {
    expect(() => manualSource([{ host: "a", port: 0 }])).toThrow(/port is 0/);
    const source = manualSource([]);
    expect(() => source.set([{ host: "a", port: 1, weight: -1 }])).toThrow(/weight is -1/);
    expect(() => source.openChannel({ timeoutMs: 0 })).toThrow(/timeoutMs/);
  });
});
