import { describe, expect, it } from "vitest";
import { SliceCache } from "../../../src/resolve/kubernetes/slice-cache.js";
import type { EndpointSlice } from "../../../src/wire/endpoint-slice.js";

function slice(
  name: string,
  ready: readonly string[],
  more: Partial<EndpointSlice> = {},
): EndpointSlice {
  const ports = [{ name: "grpc", port: 80 }];
  const none = { draining: [], rejected: 0, firstProblem: undefined };
  return { name, family: "IPv4", ports, ready, ...none, ...more };
}

function cacheOf(port: number | string, ...slices: readonly EndpointSlice[]): SliceCache {
  const cache = new SliceCache(port);
  cache.replace({ slices, rejected: 0 });
  return cache;
}

/** Keys of the whole list, ascending; or why there is none. */
function listed(port: number | string, ...slices: readonly EndpointSlice[]): unknown {
  const news = cacheOf(port, ...slices).take();
  if (news.kind === "no-port") return news.problem;
  return news.kind === "list" ? news.list.instances.map(({ key }) => key).sort() : news;
}

/** What a cache tells, keys alone. */
function told(cache: SliceCache): unknown {
  const news = cache.take();
  if (news.kind === "no-port") return news.problem;
  if (news.kind === "list") return { list: news.list.instances.map(({ key }) => key).sort() };
  const { changed, removed } = news.change;
  return { changed: changed.map(({ key }) => key).sort(), removed: [...removed].sort() };
}

describe("SliceCache", () => {
  it("joins slices, and lists who is in two of them once", () => {
    const list = listed("grpc", slice("a", ["10.0.0.1", "10.0.0.2"]), slice("b", ["10.0.0.2"]));
    expect(list).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
    expect(listed("grpc")).toEqual([]);
  });

  it("lists those that end and still serve when nobody is ready", () => {
    const ending = slice("a", [], { draining: ["10.0.0.1"] });
    expect(listed("grpc", ending)).toEqual(["10.0.0.1:80"]);
    expect(listed("grpc", ending, slice("b", ["10.0.0.2"]))).toEqual(["10.0.0.2:80"]);
  });

  it("takes one family of two, IPv4 unless IPv6 has more than twice as many", () => {
    const v6 = (...ready: string[]) => slice("six", ready, { family: "IPv6" });
    expect(listed("grpc", slice("a", ["10.0.0.1"]), v6("::1", "::2"))).toEqual(["10.0.0.1:80"]);
    expect(listed("grpc", slice("a", ["10.0.0.1"]), v6("::1", "::2", "::3"))).toEqual([
      "[::1]:80",
      "[::2]:80",
      "[::3]:80",
    ]);
    expect(listed("grpc", slice("a", [], { draining: ["10.0.0.1"] }), v6("::1"))).toEqual([
      "[::1]:80",
    ]);
  });

  it.each([
    ["by name", "grpc", [{ name: "grpc", port: 81 }], ["10.0.0.1:81"]],
    ["by number", 81, [{ name: "", port: 81 }], ["10.0.0.1:81"]],
    [
      "by number among several",
      81,
      [
        { name: "a", port: 80 },
        { name: "b", port: 81 },
      ],
      ["10.0.0.1:81"],
    ],
    ["by number where every port is meant", 81, [{ name: "", port: undefined }], ["10.0.0.1:81"]],
    ["by number where a headless service has none", 81, [], ["10.0.0.1:81"]],
  ])("finds a port %s", (_, port, ports, expected) => {
    expect(listed(port, slice("a", ["10.0.0.1"], { ports }))).toEqual(expected);
  });

  it("names the ports that there are when none is the one asked for", () => {
    const ports = [
      { name: "grpc", port: 8080 },
      { name: "", port: 9090 },
    ];
    expect(listed(80, slice("a", ["10.0.0.1"], { ports }))).toBe(
      "no endpoint has the port 80, expected one of the pods' own: grpc=8080, 9090",
    );
    expect(listed("http", slice("a", [], { ports }))).toContain('the port "http"');
    expect(listed("http", slice("a", ["10.0.0.1"], { ports: [] }))).toContain("there are none");
    expect(listed("http", slice("a", [], { ports: [] }))).toEqual([]);
    expect(listed("grpc", slice("a", ["10.0.0.1"]), slice("b", ["10.0.0.2"], { ports }))).toEqual([
      "10.0.0.1:80",
      "10.0.0.2:8080",
    ]);
  });

  it("tells what has changed, and nothing of who only moved to another slice", () => {
    const cache = cacheOf("grpc", slice("a", ["10.0.0.1", "10.0.0.2"]));
    expect(told(cache)).toEqual({ list: ["10.0.0.1:80", "10.0.0.2:80"] });
    cache.put(slice("a", ["10.0.0.2", "10.0.0.3"]));
    expect(told(cache)).toEqual({ changed: ["10.0.0.3:80"], removed: ["10.0.0.1:80"] });
    cache.put(slice("b", ["10.0.0.2"]));
    cache.put(slice("a", ["10.0.0.3"]));
    expect(told(cache)).toEqual({ changed: [], removed: [] });
    cache.remove("b");
    cache.remove("unknown");
    expect(told(cache)).toEqual({ changed: [], removed: ["10.0.0.2:80"] });
    cache.replace({ slices: [slice("c", ["10.0.0.3", "10.0.0.4"])], rejected: 0 });
    expect(told(cache)).toEqual({ changed: ["10.0.0.4:80"], removed: [] });
  });

  it.each<[string, readonly string[], readonly string[], unknown]>([
    [
      "one in the middle",
      ["a", "b", "c"],
      ["a", "x", "c"],
      { changed: ["x:80"], removed: ["b:80"] },
    ],
    ["the first of equals", ["a", "a", "b"], ["a", "b"], { changed: [], removed: [] }],
    ["both of equals", ["a", "b", "a"], ["b"], { changed: [], removed: ["a:80"] }],
    ["their order", ["a", "b", "c"], ["c", "b", "a"], { changed: [], removed: [] }],
    ["all but the last", ["a", "b"], ["b"], { changed: [], removed: ["a:80"] }],
    ["who joins at both ends", ["b"], ["a", "b", "c"], { changed: ["a:80", "c:80"], removed: [] }],
  ])("tells of a slice in which this has changed: %s", (_, before, after, expected) => {
    const cache = cacheOf("grpc", slice("a", before), slice("b", ["z"]));
    cache.take();
    cache.put(slice("a", after));
    expect(told(cache)).toEqual(expected);
    cache.remove("a");
    const rest = [...new Set(after)].map((key) => `${key}:80`).sort();
    expect(told(cache)).toEqual({ changed: [], removed: rest });
  });

  it("tells the whole list again after the port was missing, and when others are listed", () => {
    const cache = cacheOf("grpc", slice("a", ["10.0.0.1"]));
    cache.take();
    cache.put(slice("a", ["10.0.0.2"], { ports: [{ name: "http", port: 80 }] }));
    expect(cache.take().kind).toBe("no-port");
    cache.put(slice("a", ["10.0.0.3"]));
    expect(told(cache)).toEqual({ list: ["10.0.0.3:80"] });
    cache.put(slice("a", [], { draining: ["10.0.0.3"] }));
    expect(cache.drastic).toBe(true);
    expect(told(cache)).toEqual({ list: ["10.0.0.3:80"] });
  });

  it("knows when nobody would be left of those who were told", () => {
    const cache = cacheOf("grpc", slice("a", ["10.0.0.1"]));
    expect(cache.drastic).toBe(false);
    cache.take();
    cache.remove("a");
    expect(cache.drastic).toBe(true);
    cache.put(slice("b", ["10.0.0.1"]));
    expect(cache.drastic).toBe(false);
    cache.remove("b");
    cache.take();
    expect(cache.drastic).toBe(false);
    cache.put(slice("c", ["10.0.0.1"]));
    expect(cache.drastic).toBe(false);
  });

  it("counts what is left out as long as it is there", () => {
    const cache = cacheOf("grpc", slice("a", ["10.0.0.1"], { rejected: 2, firstProblem: "two" }));
    expect(cache.take()).toMatchObject({ list: { rejected: 2, firstProblem: "two" } });
    cache.reject("loose");
    expect(cache.take()).toMatchObject({ change: { rejected: 3, firstProblem: "loose" } });
    cache.put(slice("a", ["10.0.0.1"]));
    expect(cache.take()).toMatchObject({ change: { rejected: 1 } });
    cache.replace({ slices: [slice("a", ["10.0.0.1"])], rejected: 0 });
    expect(cache.take()).toMatchObject({ change: { rejected: 0, firstProblem: undefined } });
  });
});
