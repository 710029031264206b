import { runOutsideCalls } from "../core/ambient-call.js";
import type { Instance } from "../core/instance.js";
import type { CancelTimer, Clock } from "../core/ports.js";
import type {
  Attempt,
  AttemptListener,
  AttemptStart,
  CountingTransport,
  Transport,
  TransportHealth,
  TransportState,
} from "./transport.js";

/**
 * From how many attempts under way another connection is opened: servers allow 100 streams or more at a time and say so
 * only to the HTTP/2 engine, which queues what is above without a word. A few are left for questions about health.
 */
const FULL = 96;

/** Most connections to one instance. */
const MOST = 16;

/** How often it is looked whether all connections were needed since the last time. */
const LOOK_MS = 30_000;

/** So long no other connection is tried after one that could not be opened. */
const PAUSE_MS = 30_000;

/** Makes a transport of one connection. */
export type ConnectionFactory = (instance: Instance) => CountingTransport;

/**
 * Makes the way to an instance over as many connections as its attempts need: one, until more attempts are under way than
 * the instance may take on it.
 *
 * An attempt goes to the least busy connection. State is that of the best connection; one that is lost while another works
 * is not replaced until it is needed.
 *
 * @throws what `create` throws
 */
export function createSpreadTransport(
  instance: Instance,
  create: ConnectionFactory,
  clock: Clock,
): Transport {
  return new SpreadTransport(instance, create, clock);
}

class SpreadTransport implements Transport {
  readonly instance: Instance;
  readonly health: TransportHealth;
  readonly #create: ConnectionFactory;
  readonly #clock: Clock;
  readonly #listeners = new Set<(state: TransportState) => void>();
  /** Let health watches go on to another connection. */
  readonly #followers = new Set<() => void>();
  #first: CountingTransport;
  /** Most often there are none. */
  #others: CountingTransport[] = [];
  /** Those that are closed but may have attempts under way, and what had arrived on the ones before. */
  #leaving: CountingTransport[] = [];
  #bytesGone = 0;
  /** What the listeners know. */
  #state: TransportState = "idle";
  /** Most attempts under way since the last look; counted while there are others. */
  #peak = 0;
  #stopLook: CancelTimer = () => {};
  #pausedUntilMs = 0;

  constructor(instance: Instance, create: ConnectionFactory, clock: Clock) {
    this.instance = instance;
    this.#create = create;
    this.#clock = clock;
    this.#first = this.#connection();
    this.health = {
      ping: (timeoutMs, done) =>
        (this.#leastBusy("ready") ?? this.#first).health.ping(timeoutMs, done),
      watch: (listener) => this.#watch(listener),
      bytesRead: () => this.#bytesRead(),
    };
  }

  get state(): TransportState {
    return this.#others.length === 0 ? this.#first.state : this.#bestState();
  }

  connect(): void {
    if (this.#others.length === 0) this.#first.connect();
  }

  onState(listener: (state: TransportState) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(start: AttemptStart, listener: AttemptListener): Attempt {
    const first = this.#first;
    const usual = this.#others.length === 0 && first.underWay < FULL;
    return (usual ? first : this.#choose()).start(start, listener);
  }

  close(): void {
    this.#stopLook();
    const others = this.#others;
    this.#others = [];
    for (const other of others) this.#part(other);
    this.#first.close();
  }

  #connection(): CountingTransport {
    const transport = this.#create(this.instance);
    transport.onState((state) => this.#onState(transport, state));
    return transport;
  }

  #choose(): CountingTransport {
    const ready = this.#leastBusy("ready");
    const opening = this.#leastBusy("connecting");
    const chosen = ready ?? opening ?? this.#first;
    this.#peak = Math.max(this.#peak, this.#underWay() + 1);
    if (chosen.state !== "ready" && chosen.state !== "connecting") return chosen;
    for (const transport of [ready, opening]) {
      if (transport !== undefined && transport.underWay < FULL) return transport;
    }
    return this.#another() ?? chosen;
  }

  #another(): CountingTransport | undefined {
    const paused = this.#clock.now() < this.#pausedUntilMs;
    if (paused || this.#others.length + 1 >= MOST) return undefined;
    // Outside of the call that needs it: the connection outlives that.
    return runOutsideCalls(() => {
      if (this.#others.length === 0) this.#lookLater();
      const transport = this.#connection();
      this.#others.push(transport);
      transport.connect();
      return transport;
    });
  }

  #leastBusy(state: TransportState): CountingTransport | undefined {
    let least: CountingTransport | undefined;
    for (const transport of this.#all()) {
      if (transport.state !== state) continue;
      if (least === undefined || transport.underWay < least.underWay) least = transport;
    }
    return least;
  }

  #all(): readonly CountingTransport[] {
    return [this.#first, ...this.#others];
  }

  #underWay(): number {
    return this.#all().reduce((sum, { underWay }) => sum + underWay, 0);
  }

  #bestState(): TransportState {
    const states = this.#all().map(({ state }) => state);
    return stateOrder.find((state) => states.includes(state)) ?? "closed";
  }

  #onState(transport: CountingTransport, state: TransportState): void {
    if (!this.#all().includes(transport)) return;
    const works = state === "ready" || state === "connecting";
    if (!works && this.#others.length > 0) this.#lose(transport, state);
    for (const follow of [...this.#followers]) follow();
    const now = this.state;
    if (now === this.#state) return;
    this.#state = now;
    for (const listener of [...this.#listeners]) listener(now);
    if (now === "closed") this.#listeners.clear();
  }

  /** One of several works no longer: the rest goes on without it. */
  #lose(transport: CountingTransport, state: TransportState): void {
    const [next, ...rest] = this.#all().filter((other) => other !== transport);
    if (next === undefined) return;
    this.#first = next;
    this.#others = rest;
    if (state === "failed") this.#pausedUntilMs = this.#clock.now() + PAUSE_MS;
    if (rest.length === 0) this.#stopLook();
    this.#part(transport);
  }

  #part(transport: CountingTransport): void {
    this.#settleLeaving();
    this.#leaving.push(transport);
    transport.close();
  }

  #settleLeaving(): void {
    this.#leaving = this.#leaving.filter(({ underWay, health }) => {
      if (underWay === 0) this.#bytesGone += health.bytesRead();
      return underWay > 0;
    });
  }

  #bytesRead(): number {
    if (this.#leaving.length > 0) this.#settleLeaving();
    let sum = this.#bytesGone + this.#first.health.bytesRead();
    for (const { health } of this.#others) sum += health.bytesRead();
    for (const { health } of this.#leaving) sum += health.bytesRead();
    return sum;
  }

  #lookLater(): void {
    this.#stopLook = this.#clock.after(LOOK_MS, () => this.#look(), { background: true });
  }

  #look(): void {
    const needed = Math.max(1, Math.ceil(this.#peak / FULL));
    this.#peak = this.#underWay();
    const surplus = this.#others.splice(needed - 1);
    for (const transport of surplus) this.#part(transport);
    for (const follow of [...this.#followers]) follow();
    if (this.#others.length > 0) this.#lookLater();
  }

  /** On one connection at a time, and on the next one when that is lost, until none is left. */
  #watch(listener: (serving: boolean | undefined) => void): () => void {
    let watched: CountingTransport | undefined;
    let stop = (): void => {};
    const follow = (): void => {
      if (watched?.state === "ready" && this.#all().includes(watched)) return;
      stop();
      watched = this.#all().find(({ state }) => state === "ready");
      if (watched === undefined) this.#followers.delete(follow);
      else stop = watched.health.watch(listener);
    };
    this.#followers.add(follow);
    follow();
    return () => {
      this.#followers.delete(follow);
      stop();
    };
  }
}

/** Best first. */
const stateOrder: readonly TransportState[] = ["ready", "connecting", "idle", "failed", "closed"];
