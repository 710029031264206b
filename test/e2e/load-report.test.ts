import type { HostOptions } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";
import { createChannel, createClient, type Metadata } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { OrcaLoadReport } from "../../gen/xds/data/orca/v3/orca_load_report.js";
import { startTestHost } from "../support/hosts.js";

/** A host with one place, whose calls fail when they are told to, and what its answers say of its load. */
async function start(options: HostOptions) {
  const process = async (data: Uint8Array): Promise<Uint8Array> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (data.length > 0) throw new Error("as told");
    return data;
  };
  const { port } = await startTestHost({ process }, { workerThreads: 1, ...options });
  const channel = createChannel(`127.0.0.1:${port}`);
  onTestFinished(() => channel.close());
  const client = createClient(PredictServiceDefinition, channel);
  return {
    /** By gRPC, as the official message is decoded. */
    async trailer(data = ""): Promise<OrcaLoadReport | undefined> {
      let trailer: Metadata | undefined;
      const onTrailer = (received: Metadata): void => {
        trailer = received;
      };
      await client.predict({ data: Buffer.from(data) }, { onTrailer }).catch(() => {});
      const bytes = trailer?.get("endpoint-load-metrics-bin");
      return bytes === undefined ? undefined : OrcaLoadReport.decode(bytes);
    },
    /** Over HTTP, with the status. */
    async header(body = ""): Promise<string> {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
      return `${response.status} ${response.headers.get("endpoint-load-metrics")}`;
    },
  };
}

describe("a host with loadReport", () => {
  it("tells in every answer of its processor what it has to do, also in errors", async () => {
    const { trailer, header } = await start({ loadReport: true });
    // Four at a time for one place: what waits counts, too.
    const some = async (data: string) =>
      Promise.all(Array.from({ length: 4 }, () => trailer(data)));
    for (let round = 0; round < 4; round++) await some("");
    const [busy] = await some("");
    expect(busy?.applicationUtilization).toBeGreaterThan(1);
    expect(busy?.rpsFractional).toBeGreaterThan(0);
    expect(busy?.eps).toBe(0);
    for (let round = 0; round < 3; round++) await some("fail");
    const [failing] = await some("fail");
    expect(failing?.eps).toBeGreaterThan(0);
    const numbers = /TEXT application_utilization=[\d.]+, rps_fractional=[\d.]+, eps=[\d.]+$/;
    expect(await header()).toMatch(new RegExp(`^200 ${numbers.source}`));
    expect(await header("fail")).toMatch(new RegExp(`^400 ${numbers.source}`));
  });

  it("is one that has been told to", async () => {
    const { trailer, header } = await start({});
    expect(await trailer()).toBeUndefined();
    expect(await header()).toBe("200 null");
  });
});
