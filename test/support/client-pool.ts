import type { EjectionCause } from "../../src/client/pool/ejection.js";
import { InstancePool } from "../../src/client/pool/instance-pool.js";
import type { PoolMember } from "../../src/client/pool/pool-member.js";
import type { ResolvedPoolPolicy } from "../../src/client/pool-options.js";
import type { Instance } from "../../src/core/instance.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import type { AttemptEnd } from "../../src/transport/transport.js";
import { instanceFrom } from "./client-channel.js";
import type { FakeHealth } from "./client-fake-health.js";
import { endOf, type FakeTransport, FakeTransports } from "./client-fake-transport.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";
import { defaultPoolPolicy } from "./pool-policy.js";
import { recordingLogger } from "./recording-logger.js";

/** The end of an attempt that its instance answered. */
export const answeredEnd: AttemptEnd = endOf(undefined, { remote: true });

/** The end of an attempt that its instance broke. */
export const brokenEnd: AttemptEnd = endOf("CONNECTION_LOST");

/** The end of an attempt of which nothing was heard in time. */
export const lateEnd: AttemptEnd = endOf("DEADLINE_EXCEEDED");

/** What is special about a pool of fakes. */
export interface FakePoolOptions extends Partial<ResolvedPoolPolicy> {
  readonly clock?: FakeClock;
  /** At once unless told otherwise. */
  readonly afterReads?: (run: () => void) => void;
}

/** A pool of fakes; an instance is known by its port. */
export interface FakePool {
  readonly pool: InstancePool;
  readonly transports: FakeTransports;
  readonly clock: FakeClock;
  /** Why instances were taken out, in order. */
  readonly ejected: readonly EjectionCause[];
  /** Gives out a list. */
  update(...list: readonly string[]): void;
  /** The newest transport to an instance. */
  to(port: string): FakeTransport;
  /** How an instance is by that. */
  healthOf(port: string): FakeHealth;
  /** Who is picked in so many attempts that end at once, each named once, in order. */
  picked(count?: number): string[];
  /** Begins an attempt on this instance, which must be in rotation, and opens its connection. */
  begin(port: string): PoolMember;
  /** It ends, after a millisecond unless told otherwise. */
  end(member: PoolMember, end: AttemptEnd, durationMs?: number): void;
  /** An attempt on this instance, from its begin to its end. */
  attempt(port: string, end: AttemptEnd, durationMs?: number): void;
  /** Connects to these by an attempt each. */
  connect(...ports: readonly string[]): void;
  /** What the log was told since it was asked last. */
  told(): string[];
}

/** Makes a pool of fakes with its first list. */
export function fakePool(
  { clock = createFakeClock(), afterReads = (run) => run(), ...policy }: FakePoolOptions,
  ...entries: readonly string[]
): FakePool {
  const transports = new FakeTransports();
  transports.askable = true;
  const { lines, logger } = recordingLogger();
  const ejected: EjectionCause[] = [];
  const pool = new InstancePool({
    createTransport: transports.create,
    clock,
    random: seededRandom(3),
    logger,
    policy: { ...defaultPoolPolicy, ...policy },
    onEjected: (cause) => ejected.push(cause),
    afterReads,
  });
  const keyOf = (port: string): string => `127.0.0.1:${port}`;
  const portOf = (member: PoolMember | undefined): string | undefined => member?.key.split(":")[1];
  let listed: readonly Instance[] = [];
  const update = (...list: readonly string[]): void => {
    listed = list.map(instanceFrom);
    pool.update(listed);
  };
  update(...entries);
  const made: FakePool = {
    pool,
    transports,
    clock,
    ejected,
    update,
    to: (port) => transports.to(keyOf(port)),
    healthOf: (port) => transports.healthOf(keyOf(port)),
    picked(count = 40) {
      const seen = new Set<string>();
      for (let n = 0; n < count; n++) {
        const member = pool.pick();
        if (member !== undefined) pool.ended(member, answeredEnd, 1);
        seen.add(portOf(member) ?? "nobody");
      }
      return [...seen].sort();
    },
    begin(port) {
      const others = listed.map(({ key }) => key).filter((key) => key !== keyOf(port));
      const member = pool.pick(new Set(others));
      if (member === undefined || portOf(member) !== port) throw new Error(`${port} is out`);
      member.transport.connect();
      return member;
    },
    end: (member, end, durationMs = 1) => pool.ended(member, end, durationMs),
    attempt(port, end, durationMs = 1) {
      pool.ended(made.begin(port), end, durationMs);
    },
    connect(...ports) {
      for (const port of ports) {
        const member = made.begin(port);
        transports.to(keyOf(port)).become("ready");
        pool.ended(member, answeredEnd, 1);
      }
    },
    told() {
      return lines.splice(0).map(({ level, message, fields }) => {
        const { instance, ...rest } = fields;
        return `${level} ${String(instance).split(":")[1]}: ${message} ${JSON.stringify(rest)}`;
      });
    },
  };
  return made;
}
