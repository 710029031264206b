import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import type { DnsRecord } from "../../../src/resolve/dns/dns-message.js";
import { createDnsSource, type DnsSourceOptions } from "../../../src/resolve/dns/dns-source.js";
import type { Source } from "../../../src/resolve/source.js";
import type { DnsTarget } from "../../../src/resolve/target/target-kind.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import {
  address,
  alias,
  createFakeDns,
  type FakeDns,
  type FakeDnsAnswer,
  service,
} from "../../support/fake-dns.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

const first = { host: "10.0.0.53", port: 53 };
const second = { host: "10.0.1.53", port: 53 };
const text = "dns://10.0.0.53/mnist.test:80";
const dnsTarget: DnsTarget = {
  kind: "dns",
  text,
  service: "mnist.test",
  name: "mnist.test",
  port: 80,
  servers: [first],
};
const srvTarget: DnsTarget = {
  kind: "srv",
  text: "srv://10.0.0.53/mnist.test",
  service: "mnist.test",
  name: "mnist.test",
  servers: [first],
};

interface Fixture {
  readonly clock: FakeClock;
  readonly dns: FakeDns;
  readonly recorder: SourceRecorder;
  readonly source: Source;
  readonly warnings: string[];
}

async function started(
  zone: Readonly<Record<string, FakeDnsAnswer>>,
  target: DnsTarget = dnsTarget,
  options: Partial<DnsSourceOptions> = {},
): Promise<Fixture> {
  const clock = createFakeClock();
  const dns = createFakeDns();
  for (const [question, answer] of Object.entries(zone)) dns.zone.set(question, answer);
  const recorder = createSourceRecorder();
  const warnings: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (fields: object, message: string) =>
      warnings.push(`${message} ${JSON.stringify(fields)}`),
  };
  const source = createDnsSource(target, {
    clock,
    logger,
    random: () => 0.5,
    pollIntervalMs: 5_000,
    ask: dns.ask,
    ...options,
  });
  source.start(recorder);
  await clock.settle();
  return { clock, dns, recorder, source, warnings };
}

const a = address("mnist.test", "10.0.0.1");

describe("createDnsSource, addresses", () => {
  it("lists the A records, and asks for no other when there are some", async () => {
    const { dns, recorder, source } = await started({
      "A mnist.test": [a, address("mnist.test", "10.0.0.2"), address("mnist.test", "10.0.0.1")],
      "AAAA mnist.test": [address("mnist.test", "fd00::1")],
    });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=100"]);
    expect(recorder.last).toMatchObject({ source: text, service: "mnist.test", stale: false });
    expect(dns.questions).toEqual(["A mnist.test"]);
    await source.close();
  });

  it("lists the AAAA records of a name without A records", async () => {
    const { recorder, source } = await started({
      "AAAA mnist.test": [address("mnist.test", "fd00::1")],
    });
    expect(recorder.listed()).toEqual(["[fd00::1]:80=100"]);
    await source.close();
  });

  it.each([
    [0, 0.5, 1_000],
    [7, 0.5, 7_000],
    [7, 0, 6_300],
    [7, 1, 7_700],
    [86_400, 0.5, 60_000],
  ])("asks again after the time to live: %d s, drawn %d, is %d ms", async (ttl, drawn, waitMs) => {
    const zone = { "A mnist.test": [address("mnist.test", "10.0.0.1", ttl)] };
    const { clock, dns, recorder, source } = await started(zone, dnsTarget, {
      random: () => drawn,
    });
    await clock.settle(waitMs - 1);
    expect(dns.questions.length).toBe(1);
    await clock.settle(1);
    expect(dns.questions.length).toBe(2);
    expect(recorder.confirmed.at(-1)?.confirmedAtMs).toBe(clock.now());
    await source.close();
  });

  it("follows aliases, and takes the shortest time to live on the way", async () => {
    const { clock, dns, recorder, source } = await started({
      "A mnist.test": [
        address("c.test", "10.0.0.1", 30),
        alias("b.test", "C.test.", 2),
        alias("mnist.test", "b.test", 20),
        address("evil.test", "10.6.6.6"),
      ],
    });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await clock.settle(2_000);
    expect(dns.questions.length).toBe(2);
    await source.close();
  });

  it("takes an alias of nothing for nobody, and a ring of aliases for nonsense", async () => {
    const nobody = await started({
      "A mnist.test": [alias("mnist.test", "b.test")],
      "AAAA mnist.test": [alias("mnist.test", "b.test")],
    });
    expect(nobody.recorder.last).toMatchObject({ instances: [], stale: false });
    const ring = await started({
      "A mnist.test": [alias("mnist.test", "b.test"), alias("b.test", "mnist.test")],
    });
    expect(ring.recorder.errors[0]?.message).toContain("a ring of them");
    expect(ring.recorder.snapshots).toEqual([]);
    await nobody.source.close();
    await ring.source.close();
  });

  it("leaves out what is no address, and refuses a list of nothing else", async () => {
    const wrong = address("mnist.test", "undefined.0.0.1");
    const some = await started({ "A mnist.test": [a, wrong] });
    expect(some.recorder.last).toMatchObject({ rejected: 1 });
    expect(some.warnings).toEqual([expect.stringContaining("ip is")]);
    const none = await started({ "A mnist.test": [wrong] });
    expect(none.recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    await some.source.close();
    await none.source.close();
  });

  it.each<[string, FakeDnsAnswer]>([
    ["NXDOMAIN", { code: 3 }],
    ["NODATA", { code: 0 }],
  ])("believes %s when it has seen it three times running, and says so once", async (_, answer) => {
    const { clock, dns, recorder, source, warnings } = await started({ "A mnist.test": [a] });
    dns.servers.set(first.host, answer);
    await clock.settle(10_000);
    await clock.settle(5_000);
    expect(recorder.last).toMatchObject({ stale: true });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await clock.settle(5_000);
    expect(recorder.last).toMatchObject({ instances: [], stale: false });
    await clock.settle(60_000);
    expect(warnings).toEqual([expect.stringContaining("DNS lists nobody")]);
    await source.close();
  });

  it.each<[string, FakeDnsAnswer, string]>([
    ["SERVFAIL", { code: 2 }, "SERVFAIL"],
    ["REFUSED", { code: 5 }, "REFUSED"],
    ["a code that nobody knows", { code: 11 }, "RCODE 11"],
    ["silence", "never", "no answer within 2000 ms"],
    ["a referral", { vouches: false }, "refers to other servers"],
    ["NXDOMAIN of one who cannot know", { code: 3, vouches: false }, "refers to other servers"],
    ["a broken socket", new Error("read ECONNREFUSED"), "ECONNREFUSED"],
  ])("keeps its list on %s", async (_, answer, part) => {
    const { clock, dns, recorder, source } = await started({ "A mnist.test": [a] });
    const confirmedAtMs = clock.now();
    dns.servers.set(first.host, answer);
    await clock.settle(300_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last).toMatchObject({ version: 2, stale: true, confirmedAtMs });
    expect(recorder.errors[0]).toMatchObject({ reason: "DIRECTORY_FAILED" });
    expect(recorder.errors[0]?.message).toContain(part);
    expect(dns.questions.length).toBeLessThan(60);
    dns.servers.clear();
    await clock.settle(15_000);
    expect(recorder.last).toMatchObject({ version: 3, stale: false });
    await source.close();
    expect(clock.pending()).toEqual([]);
  });

  it.each<[string, FakeDnsAnswer]>([
    ["silent", "never"],
    ["refusing", { code: 5 }],
    ["failing", { code: 2 }],
  ])("goes on to the next server when one is %s, and stays there", async (_, answer) => {
    const target = { ...dnsTarget, servers: [first, second] };
    const { clock, dns, recorder, source } = await started({ "A mnist.test": [a] }, target);
    dns.servers.set(first.host, answer);
    await clock.settle(30_000);
    expect(recorder.errors).toEqual([]);
    expect(recorder.last).toMatchObject({ version: 1, stale: false });
    expect(dns.asked.filter((host) => host === first.host).length).toBe(2);
    expect(dns.asked.at(-1)).toBe(second.host);
    await source.close();
  });

  it("ends a poll after 4.5 s, however many servers are silent", async () => {
    const servers = Array.from({ length: 20 }, (_, index) => ({
      host: `10.0.9.${index}`,
      port: 53,
    }));
    const target = { ...dnsTarget, servers };
    const { clock, recorder, source } = await started({ "A mnist.test": "never" }, target);
    await clock.settle(4_500);
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    expect(recorder.errors[0]?.message).toContain("all took over 4500 ms");
    await clock.settle(2_000);
    await source.close();
    await clock.settle();
    expect(clock.pending()).toEqual([]);
  });

  const system = (search: readonly string[], ndots: number): Partial<DnsSourceOptions> => ({
    system: async () => ({ servers: [first], search, ndots }),
  });

  it("completes short names as the system does, and remembers what was there", async () => {
    const name = "mnist.ns.svc.cluster.local";
    const { clock, dns, recorder, source } = await started(
      { [`A ${name}`]: [address(name, "10.0.0.1")] },
      { ...dnsTarget, name: "mnist.ns", servers: [] },
      system(["here.svc.cluster.local", "svc.cluster.local", "bad domain"], 5),
    );
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(dns.questions).toEqual(["A mnist.ns.here.svc.cluster.local", `A ${name}`]);
    await clock.settle(10_000);
    expect(dns.questions.slice(2)).toEqual([`A ${name}`]);
    await source.close();
  });

  it("asks for a name with dots enough, or one at its end, as it is", async () => {
    const dotted = await started({}, { ...dnsTarget, servers: [] }, system(["x"], 1));
    expect(dotted.dns.questions).toEqual(["A mnist.test", "A mnist.test.x"]);
    const complete = { ...dnsTarget, name: "mnist.", servers: [] };
    const absolute = await started({}, complete, system(["x"], 5));
    expect(absolute.dns.questions).toEqual(["A mnist"]);
    await dotted.source.close();
    await absolute.source.close();
  });

  it("does not go on to another name because of an error", async () => {
    const { dns, recorder, source } = await started(
      { "A mnist.x": { code: 2 }, "A mnist": [address("mnist", "10.6.6.6")] },
      { ...dnsTarget, name: "mnist", servers: [] },
      system(["x"], 5),
    );
    expect(dns.questions).toEqual(["A mnist.x"]);
    expect(recorder.snapshots).toEqual([]);
    await source.close();
  });

  it("says that there is no server", async () => {
    const { recorder, source } = await started(
      {},
      { ...dnsTarget, servers: [] },
      {
        system: async () => ({ servers: [], search: [], ndots: 1 }),
      },
    );
    expect(recorder.errors[0]?.message).toContain("there is no server to ask");
    await source.close();
  });
});

describe("createDnsSource, SRV records", () => {
  const at = "mnist.test";

  /** So many targets, none with a time to live or an address that is sent along. */
  function zoneOf(targets: number): Record<string, readonly DnsRecord[]> {
    const names = Array.from({ length: targets }, (_, index) => `t-${index}.test`);
    return {
      "SRV mnist.test": names.map((name) => service(at, name, {}, 0)),
      ...Object.fromEntries(
        names.map((name, index) => [`A ${name}`, [address(name, `10.0.1.${index}`, 0)]]),
      ),
    };
  }

  it("takes the addresses that were sent along, and asks for the others", async () => {
    const { dns, recorder, source } = await started(
      {
        "SRV mnist.test": {
          answers: [service(at, "A.test", { weight: 60 }), service(at, "b.test", { port: 81 })],
          additionals: [address("a.test", "10.0.0.1"), address("evil.test", "10.6.6.6")],
        },
        "A b.test": [address("b.test", "10.0.0.2")],
      },
      srvTarget,
    );
    expect(recorder.listed()).toEqual(["10.0.0.1:80=60", "10.0.0.2:81=1"]);
    expect(dns.questions).toEqual(["SRV mnist.test", "A b.test"]);
    await source.close();
  });

  it("shares a target's weight among its addresses, A or else AAAA", async () => {
    const { recorder, source } = await started(
      {
        "SRV mnist.test": {
          answers: [service(at, "a.test", { weight: 60 }), service(at, "b.test", { weight: 0 })],
          additionals: [
            address("a.test", "10.0.0.1"),
            address("a.test", "fd00::1"),
            address("a.test", "10.0.0.2"),
            address("b.test", "fd00::2"),
          ],
        },
      },
      srvTarget,
    );
    expect(recorder.listed()).toEqual(["10.0.0.1:80=30", "10.0.0.2:80=30", "[fd00::2]:80=0.6"]);
    await source.close();
  });

  it("takes the lowest priority number that has a target with an address", async () => {
    const { recorder, source } = await started(
      {
        "SRV mnist.test": [
          service(at, "late.test", { priority: 30 }),
          service(at, "gone.test", { priority: 10 }),
          service(at, "b.test", { priority: 20 }),
        ],
        "A b.test": [address("b.test", "10.0.0.2")],
        "A late.test": [address("late.test", "10.0.0.3")],
      },
      srvTarget,
    );
    expect(recorder.listed()).toEqual(["10.0.0.2:80=1"]);
    expect(recorder.last).toMatchObject({ rejected: 1 });
    await source.close();
  });

  it("does not spill to another priority because of an error", async () => {
    const { recorder, source } = await started(
      {
        "SRV mnist.test": [service(at, "a.test"), service(at, "b.test", { priority: 20 })],
        "A a.test": { code: 2 },
        "A b.test": [address("b.test", "10.0.0.2")],
      },
      srvTarget,
    );
    expect(recorder.snapshots).toEqual([]);
    expect(recorder.errors[0]?.message).toContain("A of a.test: 10.0.0.53:53: SERVFAIL");
    await source.close();
  });

  it("keeps the addresses of a target that cannot be learned, and follows the others", async () => {
    const { clock, dns, recorder, source } = await started(
      {
        "SRV mnist.test": [service(at, "a.test"), service(at, "b.test")],
        "A a.test": [address("a.test", "10.0.0.1")],
        "A b.test": [address("b.test", "10.0.0.2")],
      },
      srvTarget,
    );
    dns.zone.set("A a.test", { code: 2 });
    dns.zone.set("A b.test", [address("b.test", "10.0.0.3")]);
    await clock.settle(10_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=1", "10.0.0.3:80=1"]);
    expect(recorder.last).toMatchObject({ stale: true });
    expect(recorder.errors[0]?.message).toContain("SERVFAIL");
    dns.zone.set("A a.test", [address("a.test", "10.0.0.1")]);
    await clock.settle(10_000);
    expect(recorder.last).toMatchObject({ stale: false });
    await source.close();
  });

  it('takes a lone "." and targets without any address for nobody', async () => {
    const dot = await started({ "SRV mnist.test": [service(at, ".")] }, srvTarget);
    expect(dot.recorder.last).toMatchObject({ instances: [], stale: false });
    expect(dot.warnings).toEqual([expect.stringContaining('its SRV record says "."')]);
    const gone = await started({ "SRV mnist.test": [service(at, "a.test")] }, srvTarget);
    expect(gone.recorder.last).toMatchObject({ instances: [], stale: false });
    await dot.source.close();
    await gone.source.close();
  });

  it("refuses records of which none makes sense, and counts the others", async () => {
    const none = await started({ "SRV mnist.test": [service(at, "a b")] }, srvTarget);
    expect(none.recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    const some = await started(
      {
        "SRV mnist.test": [service(at, "a b"), service(at, "a.test"), service(at, "a.test")],
        "A a.test": [address("a.test", "10.0.0.1"), address("a.test", "nonsense")],
      },
      srvTarget,
    );
    expect(some.recorder.listed()).toEqual(["10.0.0.1:80=0.5"]);
    expect(some.recorder.last).toMatchObject({ rejected: 3 });
    expect(some.warnings.length).toBe(1);
    await none.source.close();
    await some.source.close();
  });

  it("asks for a hundred targets at most, always the same ones, and counts the others once", async () => {
    const zone = zoneOf(150);
    const { dns, recorder, source, warnings, clock } = await started(zone, srvTarget);
    expect(dns.questions.length).toBe(101);
    expect(recorder.last).toMatchObject({ rejected: 50 });
    expect(recorder.last?.instances.length).toBe(100);
    dns.zone.set("SRV mnist.test", (zone["SRV mnist.test"] ?? []).toReversed());
    await clock.settle(30_000);
    expect(recorder.snapshots.length).toBe(1);
    expect(warnings).toEqual([expect.stringContaining("is one of more than 100")]);
    await source.close();
  });

  it("does not let records without a time to live make it a flood", async () => {
    const { dns, source, clock } = await started(zoneOf(100), srvTarget);
    for (let turn = 0; turn < 60; turn++) await clock.settle(1_000);
    const { length } = dns.questions;
    expect(length).toBeGreaterThan(300);
    expect(length).toBeLessThan(60 * 25);
    expect(dns.questions.filter((question) => question === "A t-7.test").length).toBeLessThan(13);
    await source.close();
  });

  it("keeps its pace when no target has an address, and new ones come with each answer", async () => {
    const { dns, source, clock } = await started({}, srvTarget, { pollIntervalMs: 100 });
    for (let turn = 0; turn < 60; turn++) {
      const names = Array.from({ length: 100 }, (_, index) => `t-${turn}-${index}.test`);
      dns.zone.clear();
      dns.zone.set(
        "SRV mnist.test",
        names.map((name) => service(at, name, {}, 0)),
      );
      // The name is there, so that its AAAA records are asked for, too.
      for (const name of names) dns.zone.set(`CNAME ${name}`, []);
      await clock.settle(1_000);
    }
    expect(dns.questions.length).toBeGreaterThan(300);
    expect(dns.questions.length).toBeLessThan(60 * 25);
    await source.close();
  });

  it("keeps an address that was asked for as long as it may, 5 s at least", async () => {
    const { dns, recorder, source, clock } = await started(
      {
        "SRV mnist.test": [service(at, "a.test", {}, 1), service(at, "b.test", {}, 1)],
        "A a.test": [address("a.test", "10.0.0.1", 0)],
        "A b.test": [address("b.test", "10.0.0.2", 20)],
      },
      srvTarget,
    );
    dns.zone.set("A a.test", [address("a.test", "10.0.0.3", 0)]);
    for (let turn = 0; turn < 4; turn++) await clock.settle(1_000);
    expect(dns.questions.filter((question) => question.startsWith("A "))).toHaveLength(2);
    expect(dns.questions.filter((question) => question.startsWith("SRV "))).toHaveLength(5);
    await clock.settle(2_000);
    expect(recorder.listed()).toEqual(["10.0.0.2:80=1", "10.0.0.3:80=1"]);
    expect(dns.questions.filter((question) => question === "A b.test")).toHaveLength(1);
    await source.close();
  });

  it("comes with the shortest time to live of records and addresses", async () => {
    const { clock, dns, source } = await started(
      {
        "SRV mnist.test": {
          answers: [service(at, "a.test", {}, 30)],
          additionals: [address("a.test", "10.0.0.1", 3)],
        },
      },
      srvTarget,
    );
    await clock.settle(3_000);
    expect(dns.questions.length).toBe(2);
    await source.close();
  });
});
