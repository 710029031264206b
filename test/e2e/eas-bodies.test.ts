import { createHash } from "node:crypto";
import type { HostOptions } from "inferwire/host";
import { describe, expect, it } from "vitest";
import type { CompressionName } from "../../src/compression/body-codec.js";
import { loadCodec } from "../../src/compression/load-codec.js";
import { SCALE, startAbusedHost, TOKEN } from "../support/abused-host.js";
import { startTestHost } from "../support/hosts.js";
import { callRaw, frameOf, predictMessage } from "../support/raw-grpc.js";
import { connectRaw, http, post, reasonOf } from "../support/raw-http.js";
import { until } from "../support/until.js";

type Decompressor = NonNullable<HostOptions["decompressor"]>;

const decompressors: readonly Decompressor[] = ["gzip", "zlib", "snappy", "lz4", "zstd"];
/** What clients send, and what the host is told of it. */
const ways: readonly (readonly [CompressionName, Decompressor])[] = [
  ...decompressors.map((name) => [name, name] as const),
  ["lz4-frame", "lz4"],
];
const KiB = 1_024;
const MiB = KiB * KiB;
const PREDICT = "/api/predict/demo";

async function compressed(name: CompressionName, body: Uint8Array): Promise<Uint8Array> {
  return (await loadCodec(name)).compress(body);
}

const md5 = (body: Uint8Array): string => createHash("md5").update(body).digest("hex");

describe("compressed bodies", () => {
  it.each(ways)("of %s reach the processor decompressed, for %s", async (name, decompressor) => {
    const { port } = await startTestHost(
      { process: (data) => Buffer.from(`${data.length} ${md5(data)}`) },
      { service: "demo", decompressor },
    );
    for (const body of [Buffer.from("x"), Buffer.alloc(3 * MiB, "tensor"), Buffer.alloc(0)]) {
      const expected = `${body.length} ${md5(body)}`;
      const sent = await compressed(name, body);
      for (const path of [PREDICT, `${PREDICT}/v1?a=b`, "/anything/else"]) {
        expect((await post(port, path, sent)).text).toBe(expected);
      }
    }
    // Nothing at all is taken for nothing at all.
    expect((await post(port, PREDICT, "")).text).toBe(`0 ${md5(Buffer.alloc(0))}`);
  });

  it("are those of calls over HTTP alone: not of builtins, not of gRPC", async () => {
    const { port } = await startTestHost({}, { decompressor: "gzip" });
    const ping = await post(port, "/api/builtin/ping", "hello");
    expect(JSON.parse(ping.text)).toMatchObject({ echo: "hello" });
    const outcome = await callRaw(port, frameOf(predictMessage("plain")));
    expect(outcome.status).toBe(0);
  });

  it.each(ways)("of %s are refused with what is wrong, for %s", async (name, decompressor) => {
    let calls = 0;
    const { port } = await startTestHost(
      {
        process(data) {
          calls++;
          return data;
        },
      },
      { decompressor, maxMessageBytes: 64 * KiB },
    );
    const small = Buffer.from(await compressed(name, Buffer.alloc(KiB)));
    const good = await compressed(name, Buffer.alloc(64 * KiB));
    const large = await compressed(name, Buffer.alloc(64 * KiB + 1));
    const cases: readonly (readonly [string, Uint8Array, number, string])[] = [
      ["plain text", Buffer.from('{"n": 1}'), 400, "MALFORMED_REQUEST"],
      ["cut short", small.subarray(0, -1), 400, "MALFORMED_REQUEST"],
      ["followed by more", Buffer.concat([small, Buffer.from("more")]), 400, "MALFORMED_REQUEST"],
      ["over the limit by a byte", large, 413, "MESSAGE_TOO_LARGE"],
      ["a bomb", await compressed(name, Buffer.alloc(MiB)), 413, "MESSAGE_TOO_LARGE"],
    ];
    for (const [what, body, status, reason] of cases) {
      const answer = await post(port, "/x", body);
      expect([what, answer.status, reasonOf(answer)]).toEqual([what, status, reason]);
      expect(answer.text).toContain(decompressor);
    }
    expect(calls).toBe(0);
    expect((await post(port, "/x", good)).text).toHaveLength(64 * KiB);
  });
});

describe("bombs", () => {
  it.each(ways)(
    "of %s cost the callers beside them nothing, and the host no more than its limits, for %s",
    async (name, decompressor) => {
      const host = await startAbusedHost(
        { decompressor, maxMessageBytes: 8 * MiB },
        await compressed(name, Buffer.from("x")),
      );
      const bombs = [
        await compressed(name, Buffer.alloc(64 * MiB)),
        await compressed(name, Buffer.alloc(8 * MiB + 1, "bomb")),
      ];
      const statuses = await host.abuse(
        async () => {
          const answers = Array.from({ length: 40 * SCALE }, (_, i) =>
            post(host.port, PREDICT, bombs[i % 2] ?? "", { authorization: TOKEN }),
          );
          return (await Promise.all(answers)).map(({ status }) => status);
        },
        { growthMiB: 160 },
      );
      expect(new Set(statuses)).toEqual(new Set([413]));
    },
  );

  it("are not even looked at for calls that would be refused anyway", async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { port } = await startTestHost(
      { process: (data) => finished.then(() => data) },
      { service: "demo", decompressor: "gzip", callsPerLane: 1, maxQueueLength: 1 },
    );
    const refused = async (path = PREDICT): Promise<readonly unknown[]> => {
      const answer = await post(port, path, "no gzip");
      return [answer.status, reasonOf(answer)];
    };
    expect(await refused()).toEqual([400, "MALFORMED_REQUEST"]);
    expect(await refused("/api/predict/other")).toEqual([404, "UNKNOWN_SERVICE"]);
    const gzip = await compressed("gzip", Buffer.from("x"));
    const answers = [post(port, PREDICT, gzip), post(port, PREDICT, gzip)];
    await until(async () => (await refused())[0] === 450);
    expect(await refused()).toEqual([450, "QUEUE_FULL"]);
    finish();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it("are not even looked at once the calls of this second are used up", async () => {
    const { port } = await startTestHost({}, { decompressor: "gzip", requestsPerSecond: 0.01 });
    expect((await post(port, "/x", "no gzip")).status).toBe(400);
    expect((await post(port, "/x", await compressed("gzip", Buffer.from("x")))).status).toBe(200);
    const answer = await post(port, "/x", "no gzip");
    expect([answer.status, reasonOf(answer)]).toEqual([429, "RATE_LIMITED"]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(90);
  });

  it("are given up when their callers leave", async () => {
    const bomb = Buffer.from(await compressed("gzip", Buffer.alloc(64 * MiB)));
    const host = await startAbusedHost(
      { decompressor: "gzip" },
      await compressed("gzip", Buffer.from("x")),
    );
    const head = `POST ${PREDICT} HTTP/1.1\r\nhost: x\r\nauthorization: ${TOKEN}\r\n`;
    await host.abuse(
      async () => {
        for (let i = 0; i < 100 * SCALE; i++) {
          const socket = await connectRaw(host.port);
          socket.on("error", () => {});
          socket.write(`${head}content-length: ${bomb.length}\r\n\r\n`);
          socket.write(bomb, () => socket.destroy());
        }
      },
      // Of four bodies at a time, each of 64 MiB at most, in pieces and joined.
      { growthMiB: 768 },
    );
    const monitor = await http(host.port, "/api/builtin/monitor", {
      headers: { authorization: TOKEN },
    });
    const { methods } = JSON.parse(monitor.text) as {
      methods: readonly { status: string; count: number }[];
    };
    expect(methods.find(({ status }) => status === "499")?.count).toBe(100 * SCALE);
  });
});
