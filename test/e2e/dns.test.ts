import { createClient } from "inferwire/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EchoDefinition, startEcho } from "../support/client-echo.js";
import { type Dnsmasq, dnsmasqTool, startDnsmasq } from "../support/dnsmasq.js";
import { startSource } from "../support/started-source.js";
import { until } from "../support/until.js";

const many = Array.from({ length: 200 }, (_, index) => `10.1.0.${index + 1}`);

describe.skipIf(dnsmasqTool.missing)(`names in a real dnsmasq${dnsmasqTool.note}`, () => {
  let dns: Dnsmasq;

  beforeAll(async () => {
    dns = await startDnsmasq([
      "--host-record=both.test,10.0.0.3,fd00::3",
      "--host-record=six.test,fd00::6",
      "--host-record=local.test,127.0.0.1",
      "--cname=alias.test,ready.test",
      "--srv-host=_grpc._tcp.mnist.test,ready.test,8080,10,60",
      "--srv-host=_grpc._tcp.mnist.test,both.test,8081,10,0",
      "--srv-host=_grpc._tcp.mnist.test,six.test,8082,20,100",
      "--srv-host=_grpc._tcp.late.test,gone.test,8080,10,1",
      "--srv-host=_grpc._tcp.late.test,six.test,8082,20,1",
      "--srv-host=_grpc._tcp.never.test",
    ]);
  });

  afterAll(() => dns[Symbol.asyncDispose]());

  it.each([
    ["dns", "ready.test:80", ["10.0.0.1:80=100"]],
    ["dns", "READY.test.:80", ["10.0.0.1:80=100"]],
    ["dns", "both.test:80", ["10.0.0.3:80=100"]],
    ["dns", "six.test:80", ["[fd00::6]:80=100"]],
    ["dns", "alias.test:80", ["10.0.0.1:80=100"]],
    ["dns", "nobody.test:80", []],
    ["srv", "_grpc._tcp.mnist.test", ["10.0.0.1:8080=60", "10.0.0.3:8081=0.6"]],
    ["srv", "_grpc._tcp.late.test", ["[fd00::6]:8082=1"]],
    ["srv", "_grpc._tcp.never.test", []],
    ["srv", "ready.test", []],
  ])("%s: finds %s", async (kind, name, listed) => {
    const { recorder } = startSource(`${kind}://${dns.address}/${name}`);
    await until(() => recorder.snapshots.length === 1);
    expect(recorder.listed()).toEqual(listed);
    expect(recorder.last?.stale).toBe(false);
    expect(recorder.errors).toEqual([]);
  });

  it("is a target for clients", async () => {
    await using echo = await startEcho({ name: "echo" });
    const target = `dns://${dns.address}/local.test:${echo.port}`;
    await using client = createClient(EchoDefinition, { target });
    expect(await client.unary({ text: "a" })).toEqual({ text: "echo: a" });
  });

  it("is refused for a name that the server does not answer for", async () => {
    const { recorder } = startSource(`dns://${dns.address}/mnist.example:80`);
    await until(() => recorder.errors.length > 0);
    expect(recorder.errors[0]?.message).toContain("REFUSED");
    expect(recorder.snapshots).toEqual([]);
  });

  it("asks over TCP for what does not fit into a datagram", async () => {
    dns.hosts(many.map((ip) => `${ip} many.test`));
    const { recorder } = startSource(`dns://${dns.address}/many.test:80`);
    await until(() => recorder.listed().length === many.length);
    expect(recorder.errors).toEqual([]);
  });

  it("sees a change after the time to live, and a server that was away", async () => {
    dns.hosts(["10.0.0.8 moving.test"]);
    const { recorder } = startSource(`dns://${dns.address}/moving.test:80`);
    await until(() => recorder.listed()[0] === "10.0.0.8:80=100");
    dns.hosts(["10.0.0.9 moving.test", "10.0.0.10 moving.test"]);
    await until(() => recorder.listed().length === 2);
    await dns.stop();
    await until(() => recorder.last?.stale === true);
    expect(recorder.listed().length).toBe(2);
    expect(recorder.errors[0]?.message).toContain("ECONNREFUSED");
    await dns.start();
    await until(() => recorder.last?.stale === false);
    expect(recorder.listed().length).toBe(2);
  });
});
