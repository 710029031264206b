import { type Instance, MAX_WEIGHT, MIN_WEIGHT } from "../../core/instance.js";
import { servingError } from "../../core/serving-error.js";
import type { Transport, TransportHealth } from "../../transport/transport.js";
import {
  type ConnectionOwner,
  type ConnectionPorts,
  MemberConnection,
} from "./member-connection.js";
import { type OutReason, Standing, type StandingPorts, type StandingTally } from "./standing.js";

/** What a pool gives its members. */
export interface MemberPorts extends ConnectionPorts, StandingPorts {
  /** How many with a weight are out for each reason, each counted by what weighs most. */
  readonly kept: StandingTally;
  /** Whether instances that can tell are asked whether they are serving. */
  readonly healthCheck: boolean;
  /** The member is in rotation, or no longer. */
  readonly onUsable: (member: PoolMember, usable: boolean) => void;
  /** Its connection has come up, or is no more. */
  readonly onConnected: (member: PoolMember) => void;
}

/** What each answer leaves of the longest time so far. */
const PEAK_KEPT = 0.95;

/**
 * One listed instance: its connection, its standing, and the attempts under way on it.
 *
 * Usable, that is, in the picker, while nothing is known against it: not before the first try to connect, and while that
 * lasts; one that has to prove itself only once it is connected.
 */
export class PoolMember implements ConnectionOwner {
  /** `host:port`; the picker's key too. */
  readonly key: string;
  /** Whether somebody listens for signs of life of it. */
  listened = false;
  /** Whether it is listed no more; it may be listed anew, as another member. */
  left = false;
  readonly #ports: MemberPorts;
  #instance: Instance;
  /** Its share as the list has it; in a subset, as that has it. */
  #share: number;
  #weight: number;
  /** Made by the first reason against it: most of a long list are never in trouble. */
  #standing: Standing | undefined;
  /** As what it is counted among those that are kept out. */
  #keptBy: OutReason | undefined;
  /** Made by the first use: most of a long list are never called. */
  #connection: MemberConnection | undefined;
  #inFlight = 0;
  #heard = false;
  #longestMs = 0;
  #idleSinceMs = 0;
  /** Of the connection that is up. */
  #health: TransportHealth | undefined;
  #stopWatch: (() => void) | undefined;

  constructor(instance: Instance, share: number, ports: MemberPorts) {
    this.key = instance.key;
    this.#instance = instance;
    this.#share = share;
    this.#weight = boundedWeight(share);
    this.#ports = ports;
  }

  get instance(): Instance {
    return this.#instance;
  }

  /** Share of traffic as it is now; read by the picker. */
  get weight(): number {
    return this.#weight;
  }

  /** Whether it is to have a share at all. */
  get weighted(): boolean {
    return this.#share > 0;
  }

  /** False while something is known against it. */
  get usable(): boolean {
    return this.#standing === undefined || this.#standing.isIn;
  }

  /** Whether the connection works now. */
  get connected(): boolean {
    return this.#connection?.up === true;
  }

  /** The connection, opened by asking for it. */
  get transport(): Transport {
    return this.#connected().transport;
  }

  /** How to ask whether it lives; undefined while it is not connected, or cannot be asked. */
  get health(): TransportHealth | undefined {
    return this.#health;
  }

  /** How long its connection took to come up, in milliseconds; 0 while there is none. */
  get openedInMs(): number {
    return this.#connection?.openedInMs ?? 0;
  }

  /** The longest time that answers of it take as a rule, in milliseconds: a peak that sinks with each shorter one. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Since when there is a connection and no attempt; means nothing while there is one. */
  get idleSinceMs(): number {
    return this.#idleSinceMs;
  }

  /** Takes over a new weight, name or app; the connection stays. */
  replace(instance: Instance, share: number, factor: number): void {
    this.#instance = instance;
    this.#share = share;
    this.reweigh(factor);
    this.#recount();
  }

  /** Its share is multiplied by this from now on. @returns whether that changes its weight */
  reweigh(factor: number): boolean {
    const before = this.#weight;
    this.#weight = boundedWeight(this.#share * factor);
    return this.#weight !== before;
  }

  /** An attempt begins. */
  began(): void {
    this.#inFlight++;
  }

  /** An attempt has ended; `heard` when the instance had anything to do with that. */
  ended(heard: boolean): void {
    if (heard) this.#heard = true;
    if (--this.#inFlight === 0) this.#idleSinceMs = this.#ports.clock.now();
  }

  /** An answer took so long; nothing is learned from NaN. */
  answeredIn(durationMs: number): void {
    if (durationMs >= 0) this.#longestMs = Math.max(durationMs, PEAK_KEPT * this.#longestMs);
  }

  /** Whether an attempt on it has ended, by its doing, since this was asked last. */
  takeHeard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  has(reason: OutReason): boolean {
    return this.#standing?.has(reason) === true;
  }

  /** Out of rotation for this reason. */
  out(reason: OutReason, fields?: object): void {
    this.#standing ??= new Standing(this.key, this.#ports);
    const isOut = this.#standing.out(reason, fields);
    this.#recount();
    if (isOut) this.#ports.onUsable(this, false);
  }

  /** The reason is gone; `told` when it is news for the log. */
  back(reason: OutReason, told = true): void {
    if (this.#standing === undefined) return;
    const isIn = this.#standing.back(reason, told);
    this.#recount();
    if (isIn) this.#ports.onUsable(this, true);
  }

  /** A new one connects when its turn comes, and is usable when it is connected; one that has been used is left alone. */
  prove(): void {
    if (this.#connection !== undefined || !this.usable) return;
    this.out("unproven");
    this.#connected().prepare();
  }

  /** The connection is silent: makes another one. */
  renew(): void {
    this.#connection?.renew();
  }

  /** Closes a connection that is not used; the next pick opens another one. */
  rest(): void {
    this.#connection?.rest();
    this.#connection = undefined;
    this.#endStatement();
    this.#ports.onConnected(this);
  }

  /** Ends the connection when the attempts on it have ended; no more are made. */
  close(): void {
    this.left = true;
    this.#standing?.end();
    this.#recount();
    this.#connection?.close();
    this.#endStatement();
  }

  onUp(transport: Transport): void {
    this.#idleSinceMs = this.#ports.clock.now();
    this.#health = transport.health;
    this.#ports.onConnected(this);
    this.back("unproven");
    this.back("unreachable");
    this.#watchHealth();
  }

  onDown(): void {
    this.out("unreachable");
    this.#endStatement();
    this.#ports.onConnected(this);
  }

  /** Counts it among those that are kept out as what it is now. */
  #recount(): void {
    const { kept } = this.#ports;
    const before = this.#keptBy;
    this.#keptBy = this.weighted ? this.#standing?.mainReason : undefined;
    if (this.#keptBy === before) return;
    if (before !== undefined) kept[before]--;
    if (this.#keptBy !== undefined) kept[this.#keptBy]++;
  }

  #connected(): MemberConnection {
    if (this.left) throw servingError("CONNECT_FAILED", `${this.key} is listed no more`);
    this.#connection ??= new MemberConnection(this, this.#ports);
    return this.#connection;
  }

  #watchHealth(): void {
    const health = this.#health;
    if (!this.#ports.healthCheck || health?.watch === undefined) return;
    this.#stopWatch?.();
    this.#stopWatch = health.watch((serving) => {
      if (health !== this.#health) return;
      if (serving === false) this.out("not-serving");
      // Without a statement it is not known to be well: nothing to be told.
      else this.back("not-serving", serving === true);
    });
  }

  /** What it has said of itself ends with its connection. */
  #endStatement(): void {
    const stop = this.#stopWatch;
    this.#stopWatch = undefined;
    this.#health = undefined;
    this.back("not-serving", false);
    stop?.();
  }
}

/** A weight that pickers take. */
function boundedWeight(weight: number): number {
  return weight === 0 ? 0 : Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, weight));
}
