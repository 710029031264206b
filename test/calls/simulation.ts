import { Counts } from "../../src/cli/chaos/report.js";
import { CallRunner } from "../../src/client/call/call-runner.js";
import { ChannelCore } from "../../src/client/channel-core.js";
import { channelDefaults, type ResolvedPolicy } from "../../src/client/client-options.js";
import type { MethodPolicy } from "../../src/client/method-table.js";
import type { PoolOptions, ResolvedPoolPolicy } from "../../src/client/pool-options.js";
import { resolvePoolOptions } from "../../src/client/resolve-pool-options.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import { silentLogger } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import type { AttemptEnd, AttemptListener } from "../../src/transport/transport.js";
import { HandSource } from "../support/client-channel.js";
import { createFakeClock, type FakeClock } from "../support/fake-clock.js";
import { quantile } from "../support/figures.js";
import { methodPolicy } from "../support/method-policy.js";
import { type ServerSetup, SimulatedServer } from "./simulated-server.js";

/** Ten servers, each with four places for work of 10 ms, which are half taken. */
export const tenHalfBusy = {
  servers: 10,
  server: { places: 4, queue: 100, workMs: 10 },
  callsPerSecond: 2_000,
} as const;

/** How calls are made, where that is not as by default. */
export type CallLimits = Partial<
  Pick<ResolvedPolicy, "timeoutMs" | "maxAttempts" | "hedgeDelayMs">
>;

/** What a simulation is made with. */
export interface SimulationSetup {
  /** The same seed gives the same figures. */
  readonly seed: number;
  readonly servers: number;
  readonly server: ServerSetup;
  /** Of calls that come as they like (Poisson). */
  readonly callsPerSecond: number;
  readonly idempotent?: boolean;
  readonly pool?: PoolOptions;
  readonly policy?: CallLimits;
}

/** What became of the calls that were begun in one stretch of time. */
export class Stretch {
  calls = 0;
  succeeded = 0;
  /** Attempts that were begun while it lasted. */
  attempts = 0;
  /** Most instances that were out at once. */
  mostOut = 0;
  /** By reason. */
  readonly failures: Counts = new Counts();
  /** Of the calls that succeeded, in milliseconds. */
  readonly latenciesMs: number[] = [];

  get ended(): number {
    return this.succeeded + this.failures.total;
  }

  get successes(): number {
    return this.succeeded / this.calls;
  }

  get p99Ms(): number {
    return quantile(this.latenciesMs, 0.99);
  }
}

/** So far time goes at once; then what waits for a turn of the event loop, not for time, has its turn. */
const STEP_MS = 1;

/** A client of the kit and servers that are only thought of, in virtual time. */
export class Simulation {
  readonly servers: readonly SimulatedServer[];
  readonly clock: FakeClock = createFakeClock();
  callsPerSecond: number;
  #stretch = new Stretch();
  readonly #core: ChannelCore;
  readonly #method: MethodPolicy;
  readonly #random: () => number;
  #nextCallMs = 0;

  constructor(setup: SimulationSetup) {
    const { seed, server, callsPerSecond } = setup;
    this.callsPerSecond = callsPerSecond;
    // Streams of their own, so that calls come at the same times whatever the client does.
    this.#random = seededRandom(seed);
    this.servers = Array.from({ length: setup.servers }, (_, index) => {
      return new SimulatedServer(this.clock, server, seededRandom(seed * 1_000 + index + 1));
    });
    const policy = policyOf(setup);
    const source = new HandSource();
    this.#core = new ChannelCore({
      source,
      createTransport: (instance) => {
        const to = this.servers[instance.port - 1];
        if (to === undefined) throw new Error(`there is no server ${instance.port}`);
        const transport = to.transport(instance);
        const start = transport.start.bind(transport);
        transport.start = (attempt, listener) => {
          this.#stretch.attempts++;
          return start(attempt, listener);
        };
        return transport;
      },
      clock: this.clock,
      random: seededRandom(seed + 1),
      logger: silentLogger,
      policy,
    });
    const { timeoutMs, maxAttempts, hedgeDelayMs } = policy;
    const { idempotent = true } = setup;
    this.#method = methodPolicy({ idempotent, timeoutMs, maxAttempts, hedgeDelayMs });
    this.#core.list.start();
    source.list(...this.servers.map((_, index) => String(index + 1)));
  }

  /** Calls that begin from now on count here. */
  stretch(): Stretch {
    this.#stretch = new Stretch();
    return this.#stretch;
  }

  /** Lets time pass, with calls. */
  async run(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    this.#nextCallMs = this.clock.now() + this.#gapMs();
    while (this.clock.now() < untilMs) {
      const stepMs = Math.min(untilMs, this.clock.now() + STEP_MS);
      while (this.#nextCallMs <= stepMs) {
        this.clock.advance(this.#nextCallMs - this.clock.now());
        this.#call();
        this.#nextCallMs += this.#gapMs();
      }
      await this.#pass(stepMs - this.clock.now());
    }
  }

  /** Lets all calls end that are under way, without new ones. */
  async settle(): Promise<void> {
    const untilMs = this.clock.now() + this.#method.timeoutMs + 1_000;
    while (this.#core.calls.size > 0 && this.clock.now() < untilMs) await this.#pass(STEP_MS);
  }

  async close(): Promise<void> {
    await this.#core.close();
  }

  async #pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    this.#look();
    await new Promise(setImmediate);
  }

  #gapMs(): number {
    return (-Math.log(1 - this.#random()) * 1_000) / this.callsPerSecond;
  }

  #look(): void {
    const { ejected } = this.#core.pool.counts();
    if (ejected > this.#stretch.mostOut) this.#stretch.mostOut = ejected;
  }

  #call(): void {
    const stretch = this.#stretch;
    const begunMs = this.clock.now();
    stretch.calls++;
    const listener: AttemptListener = {
      onHeaders() {},
      onMessage() {},
      onEnd: (end) => {
        this.#look();
        noteEnd(stretch, end, this.clock.now() - begunMs);
      },
    };
    const core = this.#core;
    const owner = core;
    const extras = {};
    const start = {
      core,
      owner,
      method: this.#method,
      extras,
      deadlineMs: Number.POSITIVE_INFINITY,
    };
    const runner = new CallRunner(start, listener);
    runner.start({ view: emptyMetadata, has: () => false, set() {} });
    runner.read();
    runner.send(request, undefined);
    runner.halfClose();
  }
}

/** Lets something happen in a simulation, and closes it. */
export async function simulate<T>(
  setup: SimulationSetup,
  happen: (simulation: Simulation) => Promise<T>,
): Promise<T> {
  const simulation = new Simulation(setup);
  try {
    return await happen(simulation);
  } finally {
    await simulation.close();
  }
}

const request = Buffer.from("request");

function noteEnd(stretch: Stretch, end: AttemptEnd, ms: number): void {
  if (end.reason === undefined) {
    stretch.succeeded++;
    stretch.latenciesMs.push(ms);
  } else {
    stretch.failures.add(end.reason);
  }
}

function policyOf({ pool, policy }: SimulationSetup): ResolvedPolicy {
  const { timeoutMs, streamIdleTimeoutMs, maxAttempts, hedgeDelayMs } = channelDefaults;
  const { retryBudgetRatio, firstListTimeoutMs, connectTimeoutMs, healthCheck } = channelDefaults;
  const resolved: ResolvedPoolPolicy = {
    ...resolvePoolOptions({ ...channelDefaults, ...filled(pool) }),
    healthCheck,
    connectTimeoutMs,
  };
  return {
    token: undefined,
    timeoutMs,
    streamIdleTimeoutMs,
    maxAttempts,
    hedgeDelayMs,
    retryBudgetRatio,
    firstListTimeoutMs,
    ...policy,
    pool: resolved,
  };
}

type Filled = { readonly [K in keyof PoolOptions]: NonNullable<PoolOptions[K]> };

function filled(options: PoolOptions = {}): Filled {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
