import { describe, expect, it } from "vitest";
import type { EndpointType } from "../../../src/eas/endpoint-type.js";
import {
  type PredictRoute,
  type PredictRouteOptions,
  predictRoute,
} from "../../../src/eas/predict-route.js";

const goPath = "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams";
const pyPath = "/api/v1/servicediscovery/upstreams";

function route(
  endpoint: string,
  service: string,
  options: Partial<PredictRouteOptions> = {},
): PredictRoute {
  const defaults: PredictRouteOptions = {
    endpointType: "DEFAULT",
    url: undefined,
    tls: undefined,
    vipserverList: "jmenv.tbsite.net:8080",
  };
  return predictRoute(endpoint, service, { ...defaults, ...options });
}

/** `http(s)://instance/path` of a route with one fixed instance. */
function shown({ target, tls, path, query }: PredictRoute): string {
  const place = target.kind === "static" ? target.instances[0]?.key : target.kind;
  return `${tls === undefined ? "http" : "https"}://${place}${path}${query === "" ? "" : `?${query}`}`;
}

describe("predictRoute, calls to the endpoint itself", () => {
  it.each<[string, string, string]>([
    ["http://gw", "mnist", "http://gw:80/api/predict/mnist"],
    ["gw", "mnist", "http://gw:80/api/predict/mnist"],
    ["gw:8080", "mnist", "http://gw:8080/api/predict/mnist"],
    ["HTTP://GW/", "mnist", "http://gw:80/api/predict/mnist"],
    ["http://gw///", "mnist/", "http://gw:80/api/predict/mnist"],
    ["https://gw", "mnist", "https://gw:443/api/predict/mnist"],
    ["https://gw:8443/", "mnist", "https://gw:8443/api/predict/mnist"],
    ["http://[::1]:80", "mnist", "http://[::1]:80/api/predict/mnist"],
    ["http://gw/models/", "mnist", "http://gw:80/models/api/predict/mnist"],
    ["http://gw/api/predict/mnist", "", "http://gw:80/api/predict/mnist"],
    ["http://gw/api/predict/mnist/", "mnist", "http://gw:80/api/predict/mnist"],
    ["http://gw/x/api/predict/mnist/v1", "", "http://gw:80/x/api/predict/mnist/v1"],
    ["http://gw/api/predict/mnist", "mnist/v1", "http://gw:80/api/predict/mnist/v1"],
    ["http://gw/api/predict/mnist/v1", "mnist/v1", "http://gw:80/api/predict/mnist/v1"],
    ["http://gw", "mnist/v1/chat", "http://gw:80/api/predict/mnist/v1/chat"],
    ["http://gw", "group.mnist", "http://gw:80/api/predict/group.mnist"],
  ])("%s with %j", (endpoint, service, expected) => {
    expect(shown(route(endpoint, service))).toBe(expected);
    expect(shown(route(endpoint, service, { endpointType: "" }))).toBe(expected);
  });

  it("takes a missing scheme for https when there is tls", () => {
    expect(shown(route("gw", "mnist", { tls: {} }))).toBe("https://gw:443/api/predict/mnist");
  });

  it.each<[string, string, string]>([
    ["", "mnist", "endpoint is empty"],
    ["ftp://gw", "mnist", 'endpoint is "ftp://gw", expected http:// or https://'],
    ["http://user:hush@gw", "mnist", "endpoint has a user or password"],
    ["http://gw?a=b", "mnist", "which has a query, expected the option query"],
    ["http://gw#x", "mnist", 'endpoint is "http://gw#x"'],
    ["http://gw:0", "mnist", 'endpoint is "http://gw:0"'],
    ["http://a,b", "mnist", 'endpoint is "http://a,b"'],
    ["http://", "mnist", 'endpoint is "http://"'],
    ["http://gw", "", 'service is ""'],
    ["http://gw", "a b", 'service is "a b"'],
    ["http://gw", "/mnist", 'service is "/mnist"'],
    ["http://gw", "mnist/v1?x=1", 'service is "mnist/v1?x=1"'],
    ["http://gw/api/predict/a%20b", "", 'where the service is "a%20b"'],
    ["http://gw/api/predict/other", "mnist", 'names the service "other", the service is "mnist"'],
    ["http://gw/api/predict/mnist/v1", "mnist/v2", 'path "/v1" behind the service'],
    [`http://gw${goPath}/mnist`, "mnist", 'endpoint type "DIRECT"'],
  ])("refuses %s with %j", (endpoint, service, message) => {
    expect(() => route(endpoint, service)).toThrow(message);
    expect(() => route(endpoint, service)).not.toThrow(/hush/);
  });

  it("refuses tls to an address that says http://", () => {
    expect(() => route("http://gw", "mnist", { tls: {} })).toThrow("begins with http://");
  });
});

describe("predictRoute, calls to a URL", () => {
  it.each<[string, string]>([
    ["http://gw/any/path?x=1&y", "http://gw:80/any/path?x=1&y"],
    ["https://gw", "https://gw:443/"],
    ["gw:8080/test", "http://gw:8080/test"],
  ])("%s", (url, expected) => {
    expect(shown(route("", "", { url }))).toBe(expected);
    expect(shown(route("http://other", "mnist", { url, endpointType: "DIRECT" }))).toBe(expected);
  });

  it("refuses what is no URL, without showing a password", () => {
    expect(() => route("", "", { url: "http://a:hush@gw" })).toThrow("url has a user or password");
    expect(() => route("", "", { url: "file:///x" })).toThrow('url is "file:///x"');
  });
});

describe("predictRoute, direct calls", () => {
  const direct = { endpointType: "DIRECT" } as const;

  it.each<[string, string, readonly (readonly string[])[]]>([
    ["http://dir", "mnist", [[`http://dir${goPath}/mnist`, `http://dir${pyPath}/mnist`]]],
    ["dir:8100/", "mnist", [[`http://dir:8100${goPath}/mnist`, `http://dir:8100${pyPath}/mnist`]]],
    [
      "https://gw/x/",
      "g.mnist",
      [[`https://gw/x${goPath}/g.mnist`, `https://gw/x${pyPath}/g.mnist`]],
    ],
    [
      "a,b:81",
      "mnist",
      [
        [`http://a${goPath}/mnist`, `http://a${pyPath}/mnist`],
        [`http://b:81${goPath}/mnist`, `http://b:81${pyPath}/mnist`],
      ],
    ],
    [`http://dir${pyPath}/mnist?internal=true`, "", [[`http://dir${pyPath}/mnist?internal=true`]]],
    [`http://dir${goPath}/`, "mnist", [[`http://dir${goPath}/mnist`]]],
    [
      "http://dir/api/predict/mnist",
      "mnist",
      [[`http://dir${goPath}/mnist`, `http://dir${pyPath}/mnist`]],
    ],
    ["[::1]:1", "mnist", [[`http://[::1]:1${goPath}/mnist`, `http://[::1]:1${pyPath}/mnist`]]],
  ])("asks %s for %j", (endpoint, service, directories) => {
    const found = route(endpoint, service, direct);
    expect(found.target).toMatchObject({ kind: "http", directories });
    expect(found.path).toBe(`/api/predict/${service || "mnist"}`);
    expect(found.tls).toBeUndefined();
  });

  it("puts a path behind the service before the request path, and asks without it", () => {
    const found = route("dir", "mnist/v1", direct);
    expect(found).toMatchObject({ path: "/api/predict/mnist/v1", target: { service: "mnist" } });
  });

  it("has TLS to instances only when it is asked for", () => {
    expect(route("https://dir", "mnist", direct).tls).toBeUndefined();
    expect(route("http://dir", "mnist", { ...direct, tls: {} }).tls).toEqual({});
  });

  it.each<[string, string, string]>([
    ["", "mnist", "endpoint is empty"],
    ["a,", "mnist", "endpoint is empty"],
    ["a", "", 'service is ""'],
    [`http://a${goPath}/one,http://b${goPath}/two`, "", 'names the service "two"'],
  ])("refuses %j with %j", (endpoint, service, message) => {
    expect(() => route(endpoint, service, direct)).toThrow(message);
  });
});

describe("predictRoute, VIPServer", () => {
  const endpointType: EndpointType = "VIPSERVER";

  it("takes the endpoint for a domain", () => {
    expect(route("mnist.eas.vipserver", "mnist", { endpointType })).toEqual({
      target: {
        kind: "vipserver",
        domain: "mnist.eas.vipserver",
        serverList: "jmenv.tbsite.net:8080",
      },
      tls: undefined,
      path: "/api/predict/mnist",
      query: "",
    });
  });

  it("refuses an address", () => {
    expect(() => route("http://a", "mnist", { endpointType })).toThrow("a domain of VIPServer");
  });
});
