import { describe, expect, it } from "vitest";
import { type EasHostOptions, easHost } from "../../../src/eas/eas-host.js";

describe("easHost", () => {
  it.each<[EasHostOptions | undefined, string]>([
    [undefined, "http://pai-eas-vpc.cn-shanghai.aliyuncs.com"],
    [{ network: "vpc" }, "http://pai-eas-vpc.cn-shanghai.aliyuncs.com"],
    [{ network: "public" }, "http://pai-eas-internet.cn-shanghai.aliyuncs.com"],
    [{ uid: "1234" }, "http://1234.vpc.cn-shanghai.pai-eas.aliyuncs.com"],
    [{ uid: 1234, network: "public" }, "http://1234.cn-shanghai.pai-eas.aliyuncs.com"],
  ])("knows the host of %j", (options, expected) => {
    expect(easHost("cn-shanghai", options)).toBe(expected);
  });

  it("takes regions of other forms", () => {
    expect(easHost("cn-north-2-gov-1")).toBe("http://pai-eas-vpc.cn-north-2-gov-1.aliyuncs.com");
  });

  it.each<[string, object, string]>([
    ["cn-shanghai", { network: "intranet" }, 'network is "intranet"'],
    ["cn-shanghai", { uid: "a.b" }, 'uid is "a.b"'],
    ["evil.example/", {}, 'region is "evil.example/"'],
    ["", {}, 'region is ""'],
  ])("refuses %j with %j", (region, options, message) => {
    expect(() => easHost(region, options)).toThrow(message);
  });
});
