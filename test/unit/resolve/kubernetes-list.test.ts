import { describe, expect, it } from "vitest";
import { servingError } from "../../../src/core/serving-error.js";
import { type AskForPage, listSlices } from "../../../src/resolve/kubernetes/kubernetes-list.js";

/** An API server with so many slices, which cannot give more than `most` of them in one answer. */
function serverOf(count: number, most = Number.POSITIVE_INFINITY) {
  const asked: Readonly<Record<string, string>>[] = [];
  const ask: AskForPage = async (query) => {
    asked.push(query);
    const from = Number(query["continue"] ?? 0);
    const to = Math.min(count, from + Number(query["limit"] ?? count));
    if (to - from > most) throw servingError("MESSAGE_TOO_LARGE", "the answer is too long");
    const items = Array.from({ length: to - from }, (_, at) => ({
      metadata: { name: `a-${from + at}`, labels: { "kubernetes.io/service-name": "mnist" } },
      addressType: "IPv4",
    }));
    const metadata = { resourceVersion: "7", continue: to < count ? String(to) : "" };
    return JSON.stringify({ kind: "EndpointSliceList", metadata, items });
  };
  return { ask, asked };
}

describe("listSlices", () => {
  it("joins pages", async () => {
    const { ask, asked } = serverOf(1_001);
    const listed = await listSlices(ask, "mnist");
    expect(listed).toMatchObject({ version: "7", rejected: 0 });
    expect(listed.slices.length).toBe(1_001);
    expect(asked.map(({ limit }) => limit)).toEqual(["500", "500", "500"]);
  });

  it("asks for small pages where large ones are too long, and gives up where these are too", async () => {
    const { ask, asked } = serverOf(25, 10);
    expect((await listSlices(ask, "mnist")).slices.length).toBe(25);
    expect(asked.map(({ limit }) => limit)).toEqual(["500", "10", "10", "10"]);
    await expect(listSlices(serverOf(25, 9).ask, "mnist")).rejects.toMatchObject({
      reason: "MESSAGE_TOO_LARGE",
    });
  });

  it("does not follow pages without an end", async () => {
    const { ask, asked } = serverOf(1_000_000);
    await expect(listSlices(ask, "mnist")).rejects.toMatchObject({ reason: "UPSTREAM_MALFORMED" });
    expect(asked.length).toBe(100);
  });

  it("counts what every page left out", async () => {
    const pages = ["a", ""].map((next) => ({
      kind: "EndpointSliceList",
      metadata: { resourceVersion: "7", continue: next },
      items: [null],
    }));
    const ask: AskForPage = async () => JSON.stringify(pages.shift());
    expect(await listSlices(ask, "mnist")).toMatchObject({ slices: [], rejected: 2 });
  });

  it("gives up on pages that are too long together, or hold too many endpoints", async () => {
    const page = (more: object) =>
      JSON.stringify({
        kind: "EndpointSliceList",
        metadata: { resourceVersion: "7", continue: "on" },
        ...more,
      });
    let asked = 0;
    const asking = (body: string) => {
      asked = 0;
      return listSlices(async () => {
        asked += 1;
        return body;
      }, "mnist");
    };
    const long = page({ items: [], note: "x".repeat(7 * 1024 * 1024) });
    await expect(asking(long)).rejects.toMatchObject({
      reason: "UPSTREAM_MALFORMED",
      message: expect.stringContaining("longer than 67108864 bytes"),
    });
    expect(asked).toBe(10);
    const endpoints = Array.from({ length: 30_000 }, () => ({ addresses: ["10.0.0.1"] }));
    const metadata = { name: "a", labels: { "kubernetes.io/service-name": "mnist" } };
    const large = page({ items: [{ metadata, addressType: "IPv4", endpoints }] });
    await expect(asking(large)).rejects.toMatchObject({
      reason: "UPSTREAM_MALFORMED",
      message: expect.stringContaining("120000 endpoints, expected 100000 at most"),
    });
    expect(asked).toBe(4);
  });
});
