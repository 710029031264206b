import { describe, expect, it } from "vitest";
import { dnsServer, searchFromResolvConf } from "../../../src/resolve/dns/dns-system.js";

describe("searchFromResolvConf", () => {
  it.each([
    ["", { search: [], ndots: 1 }],
    [
      "nameserver 10.96.0.10\nsearch a.svc.cluster.local  svc.cluster.local\noptions ndots:5 edns0\n",
      { search: ["a.svc.cluster.local", "svc.cluster.local"], ndots: 5 },
    ],
    ["domain old.example\nsearch new.example\n# search x\n", { search: ["new.example"], ndots: 1 }],
    ["options ndots:99\nsearch bad_domain! ok.example", { search: ["ok.example"], ndots: 15 }],
    ["options ndots:x", { search: [], ndots: 1 }],
  ])("reads %j", (text, expected) => {
    expect(searchFromResolvConf(text)).toEqual(expected);
  });

  it("takes no more domains than a question may cost", () => {
    const domains = Array.from({ length: 50 }, (_, index) => `d${index}`);
    expect(searchFromResolvConf(`search ${domains.join(" ")}`).search.length).toBe(8);
  });
});

describe("dnsServer", () => {
  it.each([
    ["10.0.0.2", { host: "10.0.0.2", port: 53 }],
    ["10.0.0.2:5353", { host: "10.0.0.2", port: 5353 }],
    ["fd00::1", { host: "fd00::1", port: 53 }],
    ["[fd00::1]:5353", { host: "fd00::1", port: 5353 }],
    ["[fd00::1]", { host: "fd00::1", port: 53 }],
    ["fe80::1%eth0", { host: "fe80::1%eth0", port: 53 }],
    ["a b", undefined],
    ["10.0.0.2:99999", undefined],
  ])("reads %s", (text, expected) => {
    expect(dnsServer(text)).toEqual(expected);
  });
});
