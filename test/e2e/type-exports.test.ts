import type * as kit from "inferwire";
import type * as client from "inferwire/client";
import type * as eas from "inferwire/eas";
import { describe, expectTypeOf, it } from "vitest";

/** The parts of a client's options, report and metrics, each by the name that its subpath gives it. */
describe("types that a client's options, reports and metrics are made of", () => {
  it("can be named from inferwire/client", () => {
    expectTypeOf<client.ChannelOptions>().toExtend<client.PoolOptions>();
    type Pool = Required<client.PoolOptions>;
    expectTypeOf<client.EjectionOptions>().toExtend<Pool["ejection"]>();
    expectTypeOf<client.BalanceName>().toExtend<Pool["balance"]>();
    expectTypeOf<client.AttemptReport["outcome"]>().toEqualTypeOf<client.AttemptOutcome>();
    type Metrics = client.ClientMetrics;
    expectTypeOf<keyof Metrics["ejections"]>().toEqualTypeOf<client.EjectionCause>();
    expectTypeOf<Metrics["instances"]>().toEqualTypeOf<client.PoolCounts>();
    type Method = Metrics["methods"][number];
    expectTypeOf<Method>().toEqualTypeOf<client.MethodMetrics>();
    expectTypeOf<Method["durations"]>().toEqualTypeOf<client.CallDurations>();
    expectTypeOf<Method["ended"][number]>().toEqualTypeOf<client.EndedCalls>();
    expectTypeOf<keyof Method["attempts"]>().toEqualTypeOf<client.AttemptFate>();
    expectTypeOf<client.BucketCount>().toExtend<Method["durations"]["buckets"][number]>();
  });

  it("are the same from inferwire/eas", () => {
    expectTypeOf<eas.PredictClientOptions>().toExtend<eas.PoolOptions>();
    expectTypeOf<eas.PoolOptions>().toEqualTypeOf<client.PoolOptions>();
    expectTypeOf<eas.EjectionOptions>().toEqualTypeOf<client.EjectionOptions>();
    expectTypeOf<eas.BalanceName>().toEqualTypeOf<client.BalanceName>();
    expectTypeOf<eas.AttemptOutcome>().toEqualTypeOf<client.AttemptOutcome>();
    expectTypeOf<eas.AttemptFate>().toEqualTypeOf<client.AttemptFate>();
    expectTypeOf<eas.EjectionCause>().toEqualTypeOf<client.EjectionCause>();
    expectTypeOf<eas.PoolCounts>().toEqualTypeOf<client.PoolCounts>();
    expectTypeOf<eas.MethodMetrics>().toEqualTypeOf<client.MethodMetrics>();
    expectTypeOf<eas.CallDurations>().toEqualTypeOf<client.CallDurations>();
    expectTypeOf<eas.EndedCalls>().toEqualTypeOf<client.EndedCalls>();
    expectTypeOf<eas.BucketCount>().toEqualTypeOf<client.BucketCount>();
  });

  it("are the same from inferwire", () => {
    expectTypeOf<kit.PoolOptions>().toEqualTypeOf<client.PoolOptions>();
    expectTypeOf<kit.EjectionOptions>().toEqualTypeOf<client.EjectionOptions>();
    expectTypeOf<kit.BalanceName>().toEqualTypeOf<client.BalanceName>();
    expectTypeOf<kit.AttemptOutcome>().toEqualTypeOf<client.AttemptOutcome>();
    expectTypeOf<kit.EjectionCause>().toEqualTypeOf<client.EjectionCause>();
    expectTypeOf<kit.BucketCount>().toEqualTypeOf<client.BucketCount>();
  });
});
