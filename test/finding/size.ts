import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import { ChannelCore } from "../../src/client/channel-core.js";
import { channelDefaults } from "../../src/client/client-options.js";
import { DEFAULT_WEIGHT, type Instance, instanceOf } from "../../src/core/instance.js";
import { silentLogger } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import type { SnapshotChange } from "../../src/core/snapshot.js";
import type { Source } from "../../src/resolve/source.js";
import { FakeTransports } from "../support/client-fake-transport.js";
import { createFakeClock } from "../support/fake-clock.js";
import { median, quantile } from "../support/figures.js";
import { defaultPoolPolicy } from "../support/pool-policy.js";
import type { OpenWay, SizeWay } from "./size-way.js";
import { sizeWays } from "./size-ways.js";

/** How large a list is measured, and how often. */
export interface SizeSettings {
  readonly instances: number;
  /** Single changes that are measured of each way that knows them. */
  readonly changes: number;
  readonly seed: number;
}

/** Settings of a whole run and of a quick one. */
export const sizeSizes: Readonly<Record<"full" | "small", SizeSettings>> = {
  full: { instances: 10_000, changes: 2_000, seed: 1 },
  small: { instances: 10_000, changes: 400, seed: 1 },
};

/** Times of one kind, in milliseconds. */
export interface SizeTimes {
  readonly count: number;
  /** Median of what all threads computed: the collector's too, but not the time in which others had the cores. */
  readonly computedMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** What one way takes from the bytes of an answer to a picker that picks by it. */
export interface SizeFigures {
  readonly way: string;
  /** A client's first list; nobody is connected. */
  readonly firstList: SizeTimes;
  /** A whole list of which one instance differs from the one before. */
  readonly nextList: SizeTimes;
  /** One change; undefined for a way that knows whole lists only. */
  readonly change: SizeTimes | undefined;
  /** Heap of a client that has the list and has called one instance. */
  readonly bytesPerInstance: number;
}

/** Clients whose lists are measured, one after the other in turns of all ways; as many before to warm up as are left out. */
const RUNS = 20;
const WARM_UP = 4;
const LISTS_PER_RUN = 5;

/**
 * Measures what lists of so many instances cost a client: real source, keeper, pool and picker; connections are fakes. Ways take
 * turns, so that a busy moment of the machine hits all of them.
 */
export async function runSize(settings: SizeSettings): Promise<readonly SizeFigures[]> {
  const times = new Map(
    sizeWays.map((way) => [way, { first: [], next: [], change: [] } as Samples]),
  );
  for (let run = -WARM_UP; run < RUNS; run++) {
    for (const [way, samples] of times) {
      const fresh = await measure(way, settings, settings.seed + run);
      if (run < 0) continue;
      samples.first.push(...fresh.first);
      samples.next.push(...fresh.next);
      samples.change.push(...fresh.change);
    }
  }
  const figures: SizeFigures[] = [];
  for (const [way, { first, next, change }] of times) {
    figures.push({
      way: way.name,
      firstList: timesOf(first),
      nextList: timesOf(next),
      change: change.length === 0 ? undefined : timesOf(change),
      bytesPerInstance: await heapPerInstance(way, settings),
    });
  }
  return figures;
}

/** The bars of these figures. */
export function sizeBars(figures: readonly SizeFigures[]): readonly Bar[] {
  return figures.flatMap(({ way, firstList, nextList, change, bytesPerInstance }) => [
    barOf(
      `${way}: first list`,
      firstList,
      30,
      ` · ${Math.round(bytesPerInstance)} bytes of heap an instance`,
    ),
    barOf(`${way}: a list with one change`, nextList, 30),
    ...(change === undefined ? [] : [barOf(`${way}: one change`, change, 0.2)]),
  ]);
}

function barOf(what: string, times: SizeTimes, barMs: number, more = ""): Bar {
  const { count, computedMs, medianMs, p99Ms, worstMs } = times;
  const digits = barMs < 1 ? 3 : 1;
  const [p50, p99, worst, computed] = [medianMs, p99Ms, worstMs, computedMs].map((ms) =>
    ms.toFixed(digits),
  );
  return {
    what,
    bar: `median < ${barMs} ms`,
    figure: `${p50} ms (computed ${computed}, p99 ${p99}, worst of ${count} ${worst})${more}`,
    met: medianMs < barMs,
  };
}

interface Sample {
  readonly ms: number;
  readonly computedMs: number;
}

interface Samples {
  readonly first: Sample[];
  readonly next: Sample[];
  readonly change: Sample[];
}

/** One client's life: a first list, whole lists with one change each, single changes. */
async function measure(
  way: SizeWay,
  { instances: count, changes }: SizeSettings,
  seed: number,
): Promise<Samples> {
  const random = seededRandom(seed);
  const client = await openClient(way.open(), seed);
  const listed = new ListedInstances(count, way.weighs, random);
  const first = await client.takeList(client.way.listBytes(listed.all));
  client.connectOne();
  const next: Sample[] = [];
  for (let n = 0; n < LISTS_PER_RUN; n++) {
    listed.change(n);
    next.push(await client.takeList(client.way.listBytes(listed.all)));
  }
  const change: Sample[] = [];
  const { changeBytes } = client.way;
  for (let n = 0; changeBytes !== undefined && n < changes / RUNS; n++) {
    change.push(await client.takeChange(changeBytes(listed.change(n))));
    client.pickSome();
  }
  client.expect(listed.all);
  await client.close();
  return { first: [first], next, change };
}

interface MeasuredClient {
  readonly way: OpenWay;
  /** Lets a whole list arrive; what it takes until the picker picks by it. */
  takeList(parts: readonly Uint8Array[]): Promise<Sample>;
  /** The same of a change. */
  takeChange(bytes: Uint8Array): Promise<Sample>;
  connectOne(): void;
  pickSome(): void;
  /** @throws Error when the client has another list. */
  expect(instances: readonly Instance[]): void;
  close(): Promise<void>;
}

async function openClient(way: OpenWay, seed: number): Promise<MeasuredClient> {
  const ended: { readonly ms: number; readonly cpu: NodeJS.CpuUsage }[] = [];
  const clock = createFakeClock();
  const transports = new FakeTransports();
  transports.readyAtOnce = true;
  const core = new ChannelCore({
    source: toldOf(way.source, () => {
      ended.push({ ms: performance.now(), cpu: process.cpuUsage() });
    }),
    createTransport: transports.create,
    clock,
    random: seededRandom(seed),
    logger: silentLogger,
    policy: { ...channelDefaults, token: undefined, pool: defaultPoolPolicy },
  });
  core.list.start();
  async function take(arrive: (begun: () => void) => Promise<void>): Promise<Sample> {
    let begunMs = 0;
    let begunCpu = process.cpuUsage();
    ended.length = 0;
    await arrive(() => {
      begunCpu = process.cpuUsage();
      begunMs = performance.now();
    });
    const { ms, cpu } = ended.at(-1) ?? nothingTold();
    const computedUs = cpu.user + cpu.system - begunCpu.user - begunCpu.system;
    return { ms: ms - begunMs, computedMs: computedUs / 1_000 };
  }
  return {
    way,
    takeList: (parts) => take((begun) => way.arrive(parts, begun)),
    takeChange: (bytes) => take((begun) => way.change(bytes, begun)),
    connectOne() {
      core.pool.pick()?.transport.connect();
    },
    pickSome() {
      for (let n = 0; n < 10; n++) core.pool.pick();
    },
    expect(instances) {
      const expected = instances.map(({ key, weight }) => `${key}=${weight}`).sort();
      const listed = core.snapshot.instances.map(({ key, weight }) => `${key}=${weight}`).sort();
      const weighted = instances.filter(({ weight }) => weight > 0).length;
      if (expected.join() !== listed.join() || core.pool.usable !== weighted) {
        throw new Error(`${way.source.name}: the client has another list than was sent`);
      }
    },
    close: () => core.close(),
  };
}

function nothingTold(): never {
  throw new Error("the client was told nothing");
}

/** The same source, and a call after each snapshot that its listener has been told. */
function toldOf(source: Source, told: () => void): Source {
  return {
    name: source.name,
    service: source.service,
    start: (listener) =>
      source.start({
        onSnapshot(snapshot, change) {
          listener.onSnapshot(snapshot, change);
          told();
        },
        onConfirmed: (snapshot) => listener.onConfirmed(snapshot),
        onError(error) {
          throw error;
        },
      }),
    close: () => source.close(),
  };
}

/** A list that changes by one instance at a time: another weight where there are any, one less, one more, another address. */
class ListedInstances {
  #all: Instance[];
  #made = 0;
  readonly #weighs: boolean;
  readonly #random: () => number;

  constructor(count: number, weighs: boolean, random: () => number) {
    this.#weighs = weighs;
    this.#random = random;
    this.#all = Array.from({ length: count }, () => this.#instance());
  }

  get all(): readonly Instance[] {
    return this.#all;
  }

  change(turn: number): SnapshotChange {
    const place = Math.floor(this.#random() * this.#all.length);
    const old = this.#all[place];
    if (old === undefined) throw new Error("nobody is listed");
    const kind = turn % 4;
    if (kind === 0 && this.#weighs) {
      const reweighed = { ...old, weight: old.weight + 1 };
      this.#all[place] = reweighed;
      return { changed: [reweighed], removed: [] };
    }
    if (kind === 1) {
      this.#all.splice(place, 1);
      return { changed: [], removed: [old.key] };
    }
    const joined = this.#instance();
    if (kind === 2) this.#all.push(joined);
    else this.#all[place] = joined;
    return { changed: [joined], removed: kind === 2 ? [] : [old.key] };
  }

  #instance(): Instance {
    const index = this.#made++;
    return instanceOf({
      name: `size-${index}`,
      host: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      port: 8080,
      weight: this.#weighs ? 50 + Math.floor(this.#random() * 101) : DEFAULT_WEIGHT,
      app: "size",
    });
  }
}

function timesOf(samples: readonly Sample[]): SizeTimes {
  const times = samples.map(({ ms }) => ms);
  return {
    count: samples.length,
    computedMs: median(samples.map(({ computedMs }) => computedMs)),
    medianMs: median(times),
    p99Ms: quantile(times, 0.99),
    worstMs: Math.max(...times),
  };
}

async function heapPerInstance(way: SizeWay, settings: SizeSettings): Promise<number> {
  const listed = new ListedInstances(settings.instances, way.weighs, seededRandom(1));
  const open = way.open();
  const parts = open.listBytes(listed.all);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const client = await openClient(open, settings.seed);
  await client.takeList(parts);
  client.connectOne();
  collectGarbage();
  const perInstance = (process.memoryUsage().heapUsed - before) / settings.instances;
  await client.close();
  return perInstance;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  process.stdout.write(`${barTable(sizeBars(await runSize(sizeSizes.full)))}\n`);
}
