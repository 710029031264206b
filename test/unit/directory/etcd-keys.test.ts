import { describe, expect, it } from "vitest";
import {
  type EtcdKey,
  etcdKeyFromText,
  etcdKeyText,
} from "../../../src/directory/etcd/etcd-keys.js";

const prefix = "inferwire/";

describe("etcdKeyText and etcdKeyFromText", () => {
  it.each<[string, EtcdKey]>([
    ["inferwire/mnist/a", { kind: "instance", service: "mnist", name: "a" }],
    ["inferwire/g.mnist/a/b c", { kind: "instance", service: "g.mnist", name: "a/b c" }],
    ["inferwire/mnist//", { kind: "instance", service: "mnist", name: "/" }],
    ["inferwire/mnist/10.0.0.1:80", { kind: "instance", service: "mnist", name: "10.0.0.1:80" }],
    ["inferwire/.weight/mnist/a/b", { kind: "weight", service: "mnist", name: "a/b" }],
    ["inferwire/.weight/mnist/.weight/x", { kind: "weight", service: "mnist", name: ".weight/x" }],
    ["inferwire/.traffic/shop", { kind: "traffic", group: "shop" }],
    ["inferwire/.known/shop.blue", { kind: "known", service: "shop.blue" }],
  ])("%s, both ways", (text, key) => {
    expect(etcdKeyText(prefix, key)).toBe(text);
    expect(etcdKeyFromText(prefix, text)).toEqual(key);
  });

  it.each([
    "other/mnist/a",
    "inferwire/mnist",
    "inferwire/mnist/",
    "inferwire//a",
    "inferwire/.other/a",
    "inferwire/.weight/a",
    "inferwire/.weight/.known/a",
    "inferwire/.traffic/shop.blue",
    "inferwire/.traffic/a/b",
    "inferwire/.known/",
    "inferwire/mnist/\u0000",
    `inferwire/mnist/${"x".repeat(129)}`,
  ])("%j is none of a directory's", (text) => {
    expect(etcdKeyFromText(prefix, text)).toBeUndefined();
  });
});
