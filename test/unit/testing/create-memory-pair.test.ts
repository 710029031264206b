import { afterEach, describe, expect, it } from "vitest";
import { implement } from "../../../src/host/implement.js";
import type { AnyProcessor, Call } from "../../../src/processor/processor.js";
import {
  createMemoryPair,
  type MemoryPairOptions,
} from "../../../src/testing/create-memory-pair.js";
import type { Pair } from "../../../src/testing/create-pair.js";
import { fakeClock } from "../../../src/testing/fake-clock.js";
import { type Echo, EchoDefinition } from "../../support/client-echo.js";

let open: Pair<typeof EchoDefinition> | undefined;

afterEach(async () => {
  await open?.close();
  open = undefined;
});

async function pairOf(
  unary: (request: Echo, call: Call) => Promise<Echo>,
  options: Omit<MemoryPairOptions<typeof EchoDefinition>, "definition"> = {},
) {
  const rest = { pure: unary, async *serverStream() {}, clientStream: unary, async *bidi() {} };
  const processor: AnyProcessor = implement(EchoDefinition, {
    ...rest,
    unary,
    clientStream: async () => ({ text: "" }),
  });
  open = await createMemoryPair(processor, { definition: EchoDefinition, ...options });
  return open;
}

function untilOver({ signal }: Call): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

describe("createMemoryPair", () => {
  it("gives its client the limits and retries that it is told, for all methods or one", async () => {
    const clock = fakeClock();
    const { client } = await pairOf((_, call) => untilOver(call), {
      clock,
      client: { timeoutMs: 300, methods: { pure: { timeoutMs: 100 } } },
    });
    const ends: string[] = [];
    const note = (name: string) => () => ends.push(name);
    client.unary({ text: "" }).catch(note("unary"));
    client.pure({ text: "" }).catch(note("pure"));
    await clock.settle(150);
    expect(ends).toEqual(["pure"]);
    await clock.settle(200);
    expect(ends).toEqual(["pure", "unary"]);
  });

  it.each([
    [{ timeoutMs: 50 }, 'options has no option "timeoutMs"'],
    [{ client: { balanse: "x" } }, 'options has no option "balanse"'],
  ])("refuses %j", async (options, message) => {
    await expect(pairOf(async (request) => request, options as object)).rejects.toThrow(message);
  });

  it("takes its time from the clock that it is given, on both sides", async () => {
    const clock = fakeClock();
    const left: number[] = [];
    const { client } = await pairOf(
      (_, call) => {
        left.push(call.remainingMs());
        return untilOver(call);
      },
      { clock, host: { requestTimeoutMs: 60_000 } },
    );
    const ends: unknown[] = [];
    const note = (error: { reason?: unknown; remote?: unknown }): void => {
      ends.push([error.reason, error.remote]);
    };
    client.unary({ text: "a" }, { timeoutMs: 30_000 }).catch(note);
    client.unary({ text: "b" }, { timeoutMs: 600_000 }).catch(note);
    await clock.settle(29_999);
    expect(left).toEqual([30_000, 60_000]);
    expect(ends).toEqual([]);
    await clock.settle(1);
    expect(ends).toEqual([["DEADLINE_EXCEEDED", false]]);
    await clock.settle(30_000);
    expect(ends.slice(1)).toEqual([["DEADLINE_EXCEEDED", true]]);
  });

  it("leaves no timer behind", async () => {
    const clock = fakeClock();
    const pair = await pairOf(async (request) => request, { clock });
    await pair.client.unary({ text: "a" });
    const closed = pair.close();
    await clock.settle(60_000);
    await closed;
    expect(clock.pending()).toEqual([]);
  });

  it("copies messages: neither side sees what the other does to its own", async () => {
    const seen: Uint8Array[] = [];
    const answer = { text: "from the host" };
    const { client } = await pairOf(async ({ text }) => {
      seen.push(Buffer.from(text));
      return answer;
    });
    const request = { text: "from the client" };
    const got = await client.unary(request);
    expect(got).toEqual(answer);
    expect(got).not.toBe(answer);
    expect(String(seen[0])).toBe(request.text);
  });

  it.each(["endpoint", "tls", "directory", "advertise"])("refuses the option %s", async (key) => {
    const host = { [key]: "127.0.0.1:1" };
    const refused = pairOf(async (request) => request, { host });
    await expect(refused).rejects.toThrow(`options.host.${key} has no meaning in memory`);
  });

  it("hands on what the host refuses to start with", async () => {
    const processor = { process: (data: Uint8Array) => data, initialize: () => Promise.reject(1) };
    await expect(createMemoryPair(processor)).rejects.toMatchObject({
      reason: "INITIALIZE_FAILED",
    });
  });
});
