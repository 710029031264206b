import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SliceCache } from "../../../src/resolve/kubernetes/slice-cache.js";
import { endpointSliceEventFromJson } from "../../../src/wire/endpoint-slice.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { createKubernetesPorts, sourceOver } from "../../support/kubernetes-ports.js";
import type { GivenSlice } from "../../support/kubernetes-store.js";
import { createSourceRecorder } from "../../support/source-recorder.js";
import { fuzz } from "../balance/fuzz-settings.js";

const condition = fc.constantFrom(true, false, null, undefined);

const endpoints = fc.array(
  fc.record({
    host: fc.integer({ min: 1, max: 6 }),
    conditions: fc.record({ ready: condition, serving: condition, terminating: condition }),
  }),
  { maxLength: 5 },
);

const ports = fc.constantFrom<unknown>(
  [{ name: "grpc", port: 8080 }],
  [{ name: "grpc", port: 8080 }],
  [
    { name: "http", port: 80 },
    { name: "grpc", port: 8081, protocol: "TCP" },
  ],
  [{ name: "http", port: 80 }],
  null,
);

const slice: fc.Arbitrary<GivenSlice> = fc
  .record({
    name: fc.constantFrom("a", "b", "c", "d"),
    addressType: fc.constantFrom("IPv4", "IPv4", "IPv6", "FQDN"),
    endpoints,
    ports,
  })
  .map((given) => ({
    ...given,
    endpoints: given.endpoints.map(({ host, conditions }) => ({
      addresses: [given.addressType === "IPv6" ? `fd00::${host}` : `10.0.0.${host}`],
      conditions,
    })),
  }));

type Step =
  | { readonly kind: "put"; readonly slice: GivenSlice }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "clean" | "reset" | "compact" | "garbage" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("put" as const), slice }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      name: fc.constantFrom("a", "b", "c", "d"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.constantFrom(0, 20, 60, 1_000, 40_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("clean", "reset", "compact", "garbage") as fc.Arbitrary<"clean">,
    }),
  },
);

async function act(
  taken: Step,
  { store, api }: ReturnType<typeof createKubernetesPorts>,
  clock: FakeClock,
): Promise<void> {
  switch (taken.kind) {
    case "put":
      return store.put(taken.slice);
    case "delete":
      return store.delete(taken.name);
    case "pass":
      return clock.settle(taken.ms);
    case "compact":
      return store.compact();
    case "garbage":
      return api.say("garbage\n");
    default:
      return api.endWatches(taken.kind);
  }
}

/** What somebody who lists only now finds: the instances, or that there is no such port. */
async function listedAnew(ports: ReturnType<typeof createKubernetesPorts>): Promise<unknown> {
  const clock = createFakeClock();
  const source = sourceOver(ports, clock);
  const recorder = createSourceRecorder();
  source.start(recorder);
  await clock.settle();
  await source.close();
  return recorder.last === undefined ? "no list" : recorder.listed();
}

describe("the Kubernetes source", () => {
  it("after any changes and faults has the list that a new client gets", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = createFakeClock();
        const kubernetes = createKubernetesPorts(clock);
        const { api } = kubernetes;
        const source = sourceOver(kubernetes, clock);
        const recorder = createSourceRecorder();
        source.start(recorder);
        for (const each of steps) await act(each, kubernetes, clock);
        await clock.settle(60_000);
        const anew = await listedAnew(kubernetes);
        // Without the port the last list stays, and is stale.
        if (anew === "no list") expect(recorder.last?.stale ?? true).toBe(true);
        else {
          expect(recorder.listed()).toEqual(anew);
          expect(recorder.last?.stale).toBe(false);
        }
        expect(api.watching).toBe(1);
        await source.close();
        expect(clock.pending()).toEqual([]);
      }),
      fuzz(60) as fc.Parameters<[Step[]]>,
    );
  });

  it("takes whatever comes as an event, and throws nothing but that it is malformed", async () => {
    const object = fc.record(
      {
        metadata: fc.oneof(
          fc.jsonValue(),
          fc.record({
            name: fc.constantFrom("a", "b"),
            resourceVersion: fc.constantFrom("1", "2", ""),
            labels: fc.constant({ "kubernetes.io/service-name": "mnist" }),
          }),
        ),
        addressType: fc.constantFrom("IPv4", "IPv6", "FQDN", null),
        endpoints: fc.oneof(
          fc.jsonValue(),
          fc.array(
            fc.oneof(
              fc.jsonValue(),
              fc.record({
                addresses: fc.array(fc.oneof(fc.ipV4(), fc.jsonValue())),
                conditions: fc.jsonValue(),
              }),
            ),
          ),
        ),
        ports: fc.oneof(
          fc.jsonValue(),
          fc.array(
            fc.oneof(
              fc.jsonValue(),
              fc.record({ name: fc.jsonValue(), port: fc.oneof(fc.nat(70_000), fc.jsonValue()) }),
            ),
          ),
        ),
      },
      { requiredKeys: [] },
    );
    const type = fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "OTHER");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ type, object })), async (events) => {
        const cache = new SliceCache("grpc");
        for (const event of events) {
          const read = endpointSliceEventFromJson(JSON.stringify(event), "mnist");
          if (read.kind === "put") cache.put(read.slice);
          else if (read.kind === "gone") cache.remove(read.name);
          const news = cache.take();
          if (news.kind === "list") {
            const keys = news.list.instances.map(({ key }) => key);
            expect(new Set(keys).size).toBe(keys.length);
          }
        }
      }),
      fuzz(1_000) as fc.Parameters<[{ type: string; object: object }[]]>,
    );
  });
});
