import { describe, expect, it } from "vitest";
import { parseTarget } from "../../../src/resolve/target/target.js";

describe("parseTarget, dns and srv", () => {
  it.each([
    ["dns:///mnist:80", { kind: "dns", name: "mnist", port: 80, servers: [] }],
    ["DNS:///a.b.example.:8080", { kind: "dns", name: "a.b.example.", port: 8080, servers: [] }],
    [
      "dns://10.0.0.2,[::1]:5353,fd00::1/_x.example:1",
      {
        name: "_x.example",
        port: 1,
        servers: [
          { host: "10.0.0.2", port: 53 },
          { host: "::1", port: 5353 },
          { host: "fd00::1", port: 53 },
        ],
      },
    ],
    [
      "srv://127.0.0.1:5353/_grpc._tcp.mnist",
      { kind: "srv", name: "_grpc._tcp.mnist", servers: [{ host: "127.0.0.1", port: 5353 }] },
    ],
    ["srv:///mnist", { kind: "srv", name: "mnist", service: "mnist" }],
  ])("reads %s", (text, expected) => {
    expect(parseTarget(text)).toMatchObject({ text, ...expected });
  });

  it.each([
    ["dns://mnist:80", "no slash before the name", "three slashes"],
    ["dns:///mnist", "no port from 1 to 65535", "dns:///NAME:PORT"],
    ["dns:///mnist:0", "no port from 1 to 65535"],
    ["dns:///mnist:65536", "no port from 1 to 65535"],
    ["dns:///:80", 'the name is ""'],
    ["dns:///.:80", 'the name is "."'],
    ["dns:///a..b:80", 'the name is "a..b"', "labels of 1 to 63"],
    [`dns:///${"a".repeat(64)}:80`, "labels of 1 to 63"],
    [`dns:///${"abcdefg.".repeat(32)}x:80`, "253 characters"],
    ["dns:///münchen.example:80", "in DNS it is xn--mnchen-3ya.example"],
    ["dns:///a b:80", 'the name is "a b"'],
    ["dns:///a/b:80", 'the name is "a/b"'],
    ["dns:///a?x=1:80", 'the name is "a?x=1"'],
    ["dns:///10.0.0.1:80", "an address and no name", "static:///10.0.0.1:80"],
    ["dns:///10.0.0.1", "static:///10.0.0.1:PORT"],
    ["dns:///[::1]:80", "static:///[::1]:80"],
    ["srv:///10.0.0.1", "static:///10.0.0.1:PORT"],
    ["dns://ns.example/mnist:80", 'a server is "ns.example"', "the IP address of a DNS server"],
    ["dns://10.0.0.2:0/mnist:80", 'a server is "10.0.0.2:0"'],
    ["dns://10.0.0.2,/mnist:80", 'a server is ""'],
    ["srv:///mnist:80", "which has a port", "srv:///mnist: SRV records bring the ports"],
    ["srv:///", 'the name is ""'],
  ])("refuses %s and says what is expected", (text, ...parts) => {
    for (const part of parts) expect(() => parseTarget(text)).toThrow(part);
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ reason: "INVALID_TARGET" }));
  });
});

describe("parseTarget, file", () => {
  it.each([
    ["file:///etc/inferwire/mnist.json", "/etc/inferwire/mnist.json", "mnist"],
    ["FILE:///mnist", "/mnist", "mnist"],
    ["file:///a/../b/my%20list%3F.json", "/b/my list?.json", "my list?"],
    ["file:///a:b.json", "/a:b.json", "a:b"],
  ])("reads %s", (text, path, service) => {
    expect(parseTarget(text)).toEqual({ kind: "file", text, path, service });
  });

  it.each([
    ["file://mnist.json", "no absolute path", "three slashes"],
    ["file://./mnist.json", "no absolute path"],
    ["file:mnist.json", '"file" is followed by ":///"'],
    ["file:///", "names a folder"],
    ["file:///a/", "names a folder"],
    ["file:///a?b", "must be percent-encoded"],
    ["file:///a#b", "must be percent-encoded"],
    ["file:///a\\b", "must be percent-encoded"],
    ["file:///a\nb", "must be percent-encoded"],
    ["file:///a%", "no file's address"],
    ["file:///a%2Fb", "no file's address"],
    ["file:///a%00b", "no file's address"],
  ])("refuses %j and says what is expected", (text, ...parts) => {
    for (const part of parts) expect(() => parseTarget(text)).toThrow(part);
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ reason: "INVALID_TARGET" }));
  });
});
