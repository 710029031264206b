import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { createVipserverSource } from "../../../src/resolve/vipserver-source.js";
import type { HttpGet } from "../../../src/transport/http-get.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

interface Fixture {
  readonly recorder: SourceRecorder;
  readonly urls: readonly string[];
  readonly reasons: () => readonly string[];
}

async function started(bodies: Readonly<Record<string, string>>, random = 0): Promise<Fixture> {
  const clock = createFakeClock();
  const recorder = createSourceRecorder();
  const urls: string[] = [];
  const get: HttpGet = async ({ url }) => {
    urls.push(url);
    const body = bodies[new URL(url).pathname];
    return {
      status: body === undefined ? 404 : 200,
      header: () => undefined,
      body: new TextEncoder().encode(body),
    };
  };
  const source = createVipserverSource(
    { kind: "vipserver", domain: "a.b&c", serverList: "list:8080" },
    { clock, logger: silentLogger, random: () => random, pollIntervalMs: 3_000, get },
  );
  source.start(recorder);
  await clock.settle();
  await source.close();
  return { recorder, urls, reasons: () => recorder.errors.map(({ message }) => message) };
}

const list = "/vipserver/serverlist";
const hosts = "/vipserver/api/srvIPXT";

describe("createVipserverSource", () => {
  it("asks one server of the list, any of them, for the domain", async () => {
    const body = JSON.stringify({
      hosts: [
        { ip: "10.0.0.1", port: 80, weight: 2, valid: true },
        { ip: "10.0.0.2", port: 80, weight: 1, valid: false },
        { ip: "10.0.0.3", port: 80 },
      ],
    });
    const { recorder, urls } = await started(
      { [list]: "10.1.0.1\r\n\n 10.1.0.2:81 \n", [hosts]: body },
      0.99,
    );
    expect(urls).toEqual([
      `http://list:8080${list}`,
      `http://10.1.0.2:81${hosts}?dom=a.b%26c&clusters=DEFAULT`,
    ]);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=2", "10.0.0.3:80=100"]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["no list", {}, "http://list:8080/vipserver/serverlist answered 404"],
    ["an empty list", { [list]: "\n" }, "list:8080 lists no server of VIPServer"],
    ["a list of something else", { [list]: "<html>" }, 'a server of VIPServer is "<html>"'],
    ["no JSON", { [list]: "10.1.0.1", [hosts]: "<html>" }, "is not JSON"],
    ["other JSON", { [list]: "10.1.0.1", [hosts]: "{}" }, 'has no list "hosts"'],
    [
      "hosts that are none",
      { [list]: "10.1.0.1", [hosts]: '{"hosts":[{"ip":"x"}]}' },
      "none of the 1 listed instances makes sense",
    ],
  ])("fails with %s, and names what it was", async (_, bodies, message) => {
    const { recorder, reasons } = await started(bodies);
    expect(recorder.snapshots).toEqual([]);
    expect(reasons()).toEqual([expect.stringContaining(message)]);
  });
});
