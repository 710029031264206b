import { describe, expect, it } from "vitest";
import { isServingError } from "../../../src/core/serving-error.js";
import { parseTarget } from "../../../src/resolve/target/target.js";

function weights(text: string): readonly string[] {
  const target = parseTarget(text);
  if (target.kind !== "static") throw new Error(`${target.kind} is not static`);
  return target.instances.map(({ key, weight }) => `${key}=${weight}`);
}

function refusal(text: unknown): string {
  try {
    parseTarget(text as string);
  } catch (error) {
    if (!isServingError(error)) throw error;
    expect(error).toMatchObject({ name: "ConfigError", reason: "INVALID_TARGET", code: 3 });
    return error.message;
  }
  throw new Error(`${String(text)} was taken`);
}

describe("parseTarget", () => {
  it.each([
    ["localhost:8080", ["localhost:8080=100"]],
    ["127.0.0.1:8080,127.0.0.1:8081", ["127.0.0.1:8080=100", "127.0.0.1:8081=100"]],
    ["[::1]:8080,db.example:1", ["[::1]:8080=100", "db.example:1=100"]],
    ["dns:8080", ["dns:8080=100"]],
    ["static:1,http:2", ["static:1=100", "http:2=100"]],
    ["static:///a:1", ["a:1=100"]],
    ["static:///a:1,b:2?weight=100,50", ["a:1=100", "b:2=50"]],
    ["static:///a:1,b:2?weight=7", ["a:1=7", "b:2=7"]],
    ["static:///a:1,b:2?weight=0,0.5", ["a:1=0", "b:2=0.5"]],
    ["STATIC:///a:1", ["a:1=100"]],
  ])("reads the list %s", (text, expected) => {
    expect(weights(text)).toEqual(expected);
  });

  it("keeps the text and names what is listed", () => {
    const text = "static:///a:1,b:2?weight=1";
    expect(parseTarget(text)).toMatchObject({ kind: "static", text, service: "a:1,b:2" });
  });

  it("reads directories and the service", () => {
    expect(parseTarget("directory://a:8100,[::1]:8101/blue.mnist_v2")).toEqual({
      kind: "directory",
      text: "directory://a:8100,[::1]:8101/blue.mnist_v2",
      service: "blue.mnist_v2",
      directories: [
        { host: "a", port: 8100 },
        { host: "::1", port: 8101 },
      ],
    });
  });

  it.each([
    "http://pai-eas-vpc.cn-shanghai.aliyuncs.com/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/mnist",
    "https://directory:8443/api/v1/servicediscovery/upstreams/mnist",
    "http://a/upstreams/mnist?internal=false",
  ])("reads the discovery address %s", (text) => {
    expect(parseTarget(text)).toEqual({
      kind: "http",
      text,
      service: "mnist",
      directories: [[text]],
    });
  });

  it.each([
    ["etcd://a:2379,[::1]:2380/services/blue.mnist", "services/blue.mnist/"],
    ["etcd://a:2379,[::1]:2380//a/b/blue.mnist", "/a/b/blue.mnist/"],
    ["etcd://a:2379,[::1]:2380/blue.mnist", "blue.mnist/"],
    ["ETCD://a:2379,[::1]:2380//blue.mnist", "/blue.mnist/"],
  ])("reads the members of etcd and the prefix of %s", (text, prefix) => {
    expect(parseTarget(text)).toEqual({
      kind: "etcd",
      text,
      service: "blue.mnist",
      members: [
        { host: "a", port: 2379 },
        { host: "::1", port: 2380 },
      ],
      prefix,
    });
  });

  it.each<[string, number | string, object | undefined]>([
    ["kubernetes:///ns/mnist:80", 80, undefined],
    ["kubernetes:///ns/mnist:grpc", "grpc", undefined],
    ["kubernetes://[::1]:8001/ns/mnist:8x", "8x", { host: "::1", port: 8001 }],
  ])("reads the service of Kubernetes %s", (text, port, server) => {
    const names = { service: "ns/mnist", namespace: "ns", name: "mnist" };
    const where = server === undefined ? {} : { server };
    expect(parseTarget(text)).toEqual({ kind: "kubernetes", text, ...names, port, ...where });
  });

  it.each<[unknown, ...string[]]>([
    ["", "target is empty", "host:port", "directory://", "static:///", "http(s)://"],
    [undefined, "target is undefined"],
    [42, "target is 42"],
    ["mnist", "has no port", "mnist:PORT", "directory://HOST:8100/mnist"],
    ["a:1,b", 'an address is "b"', "port from 1 to 65535"],
    ["a:1, b:2", 'an address is " b:2"'],
    ["a:0", 'an address is "a:0"'],
    ["a:65536", 'an address is "a:65536"'],
    [":8080", 'an address is ":8080"'],
    ["a:1,", 'an address is ""'],
    ["a:1,a:1", "lists a:1 twice", "each address once"],
    ["a:1?weight=5", "static:///a:1?weight=5"],
    ["static://a:1", "static:///a:1", "three slashes"],
    ["static:a:1", '"static" is followed by ":///"'],
    ["directory:a/b", '"directory" is followed by "://"'],
    ["static:///", 'an address is ""'],
    ["static:///a:1?wieght=1", 'unknown parameter "wieght", did you mean "weight"?'],
    ["static:///a:1?weight=", 'a weight is ""'],
    ["static:///a:1?weight=-1", 'a weight is "-1"', "0 to 1000000"],
    ["static:///a:1?weight=1e3", 'a weight is "1e3"'],
    ["static:///a:1?weight=1000001", 'a weight is "1000001"'],
    ["static:///a:1?weight=1&weight=2", "weight once"],
    ["static:///a:1?", "weight once"],
    ["static:///a:1,b:2,c:3?weight=1,2", "3 addresses and 2 weights", "one weight for all, or 3"],
    ["directory:///mnist", "names no directory"],
    ["directory://a:8100", "names no service", "directory://127.0.0.1:8100/mnist"],
    ["directory://a:8100/", "names no service"],
    ["directory://a/mnist", 'an address is "a"'],
    ["directory://a:8100/a.b.c", 'the service is "a.b.c"'],
    ["directory://a:8100/mnist/x", 'the service is "mnist/x"'],
    ["directory://a:8100/mnist?x=1", 'the service is "mnist?x=1"'],
    ["direktory://a:8100/mnist", 'no scheme "direktory", did you mean "directory"?'],
    ["zzzzzzzzzzzzzzzz://a", "known: static, directory, http"],
    ["etcd:a:2379/p/mnist", '"etcd" is followed by "://"'],
    ["etcd:///p/mnist", "names no member", "etcd://127.0.0.1:2379/services/mnist"],
    ["etcd://a:2379", "names no service"],
    ["etcd://a:2379/", "names no service"],
    ["etcd://a:2379/p/", "names no service"],
    ["etcd://a/p/mnist", 'an address is "a"'],
    ["etcd://a:2379,a:2379/p/mnist", "lists a:2379 twice"],
    ["etcd://a:2379/p/a.b.c", 'the service is "a.b.c"'],
    ["etcd://a:2379/p/mnist?x=1", 'the service is "mnist?x=1"'],
    ["etcd://a:2379/p?x/mnist", 'the prefix is "p?x/"'],
    ["etcd://a:2379/p q/mnist", 'the prefix is "p q/"'],
    ["etcd://a:2379/p//mnist", 'the prefix is "p//"', "no part empty"],
    ["etcd://a:2379///mnist", 'the prefix is "//"'],
    ["etcd://a:2379/pé/mnist", 'the prefix is "pé/"'],
    ["dns:mnist:80", '"dns" is followed by ":///"'],
    ["kubernetes:///mnist:http", "kubernetes:///NAMESPACE/SERVICE:PORT"],
    ["kubernetes:///ns/mnist:http/x", "kubernetes:///NAMESPACE/SERVICE:PORT"],
    ["kubernetes:ns/mnist", '"kubernetes" is followed by ":///"'],
    ["kubernetes:///ns/mnist", "names no port", "kubernetes:///ns/mnist:PORT"],
    ["kubernetes:///NS/mnist:1", 'the namespace is "NS"', "lower-case"],
    ["kubernetes:///ns/mnist_v2:1", 'the service is "mnist_v2"', "lower-case"],
    ["kubernetes:///ns/-a:1", 'the service is "-a"'],
    ["kubernetes:///ns/mnist%2f..:1", 'the service is "mnist%2f.."'],
    ["kubernetes:///ns/mnist:0", 'the port is "0"', "1 to 65535"],
    ["kubernetes:///ns/mnist:65536", 'the port is "65536"'],
    ["kubernetes:///ns/mnist:GRPC", 'the port is "GRPC"'],
    ["kubernetes:///ns/mnist:80?x=1", 'the port is "80?x=1"'],
    ["kubernetes://api/ns/mnist:80", 'an address is "api"'],
    ["kubernetes://a:1,b:2/ns/mnist:80", "names several API servers"],
    ["http://", "is no URL"],
    ["http://a:99999/upstreams/x", "is no URL"],
    ["http://a/upstreams/%20", 'the service is "%20"'],
    ["http://a/upstreams/mnist#x", "no discovery address"],
    ["http://a/upstreams/mnist/", "no discovery address"],
  ])("refuses %j and says what is expected", (text, ...parts) => {
    const message = refusal(text);
    for (const part of parts) expect(message).toContain(part);
  });

  it("answers a base address with both discovery addresses, and fills in a service that it sees", () => {
    const paths = [
      "http://pai.example",
      "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/",
      "/api/v1/servicediscovery/upstreams/",
    ] as const;
    for (const [text, service] of [
      ["http://pai.example", "SERVICE"],
      ["http://pai.example/", "SERVICE"],
      ["http://pai.example/api/predict/mnist", "mnist"],
    ] as const) {
      const message = refusal(text);
      expect(message).toContain(`${paths[0]}${paths[1]}${service}`);
      expect(message).toContain(`${paths[0]}${paths[2]}${service}`);
    }
  });

  it("never shows a password", () => {
    const message = refusal("http://me:secret@a/upstreams/mnist");
    expect(message).not.toContain("secret");
    expect(message).toContain("directoryToken");
    expect(refusal("etcd://root:secret@a:2379/p/mnist")).not.toContain("secret");
  });
});
