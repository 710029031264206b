import { createPicker } from "../../balance/create-picker.js";
import type { Picker } from "../../balance/picker.js";
import type { Clock, Logger, Random } from "../../core/ports.js";
import type { AttemptEnd } from "../../transport/transport.js";
import type { ResolvedPoolPolicy } from "../pool-options.js";
import { type AttemptSign, signOf } from "./attempt-sign.js";
import { Ejection, type EjectionCause } from "./ejection.js";
import type { PoolMember } from "./pool-member.js";
import { WeightFactors } from "./weight-factors.js";

/** What a rotation needs from outside. */
export interface RotationPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly policy: ResolvedPoolPolicy;
  /** A member has been taken out by how attempts on it went. */
  readonly onEjected: (cause: EjectionCause) => void;
  /** The listed member of a key. */
  readonly memberOf: (key: string) => PoolMember | undefined;
  /** Whether there is anybody with a weight, and all of those say that they are not serving. */
  readonly noneServes: () => boolean;
}

/** What a sign says to pickers; undefined where it does not tell how fast the instance answers. */
const answered: Readonly<Record<AttemptSign, boolean | undefined>> = {
  good: true,
  bad: false,
  late: undefined,
  "given-up": undefined,
  none: undefined,
};

/**
 * Who can be picked, and with which weight: the members with a weight against which nothing is known. How attempts on them go
 * takes them out and lets them back.
 */
export class Rotation {
  readonly #ports: RotationPorts;
  readonly #picker: Picker<PoolMember>;
  readonly #ejection: Ejection | undefined;
  readonly #factors: WeightFactors;
  /** Those that are connected, in rotation, and have a weight above 0. */
  readonly #serving = new Set<PoolMember>();
  /** Whether the log was told that all say that they are not serving. */
  #toldNone = false;

  constructor(ports: RotationPorts) {
    const { clock, random, policy } = ports;
    const { balance, ejection, slowStartMs } = policy;
    this.#ports = ports;
    this.#picker = createPicker<PoolMember>(balance, { random, now: () => clock.now() });
    this.#factors = new WeightFactors({
      clock,
      slowStartMs,
      onFactor: (key) => this.#reweigh(key),
    });
    this.#ejection =
      ejection &&
      new Ejection(ejection, {
        clock,
        random,
        inRotation: () => this.#picker.size,
        isWeighted: (key) => ports.memberOf(key)?.weighted === true,
        onOut: (key, cause, forMs) => this.#onOut(key, cause, forMs),
        onBack: (key) => ports.memberOf(key)?.back("ejected"),
      });
  }

  /** How many can be picked now. */
  get size(): number {
    return this.#picker.size;
  }

  /** Whether anybody is connected and can be picked. */
  get serves(): boolean {
    return this.#serving.size > 0;
  }

  /** Chooses one that is not excluded if there is one. */
  pick(excluded: ReadonlySet<string> | undefined): PoolMember | undefined {
    return (
      this.#picker.pick(excluded) ?? (excluded === undefined ? undefined : this.#picker.pick())
    );
  }

  /** Tells how an attempt went, once for every pick. */
  ended(member: PoolMember, end: AttemptEnd, durationMs: number): void {
    // Whoever has its key by now has nothing to do with that.
    if (member.left) return;
    const sign = signOf(end);
    const ok = sign === "bad" || durationMs >= 0 ? answered[sign] : undefined;
    this.#picker.ended(member, { ok, durationMs });
    // What was caught by a silence is no measure of what is usual.
    if (sign === "good" && !member.has("ejected")) member.answeredIn(durationMs);
    this.#ejection?.ended(member.key, sign, durationMs);
    const { load } = end;
    if (load !== undefined) this.#factors.reported(member.key, member.instance.weight, load);
  }

  /** It gives no sign of life, or has given one again. @returns whether it is out for that */
  silent({ key }: PoolMember, silent: boolean): boolean {
    if (silent) return this.#ejection?.silent(key) === true;
    this.#ejection?.heard(key);
    return false;
  }

  /** By what a member's share is multiplied now. */
  factorOf(key: string): number {
    return this.#factors.factorOf(key);
  }

  /** The members as they are from now on. */
  tellAll(members: Iterable<PoolMember>): void {
    this.#picker.update([...members].filter(({ usable }) => usable));
  }

  /** One of them has joined, or has another weight, or has left. */
  tell(key: string): void {
    const member = this.#ports.memberOf(key);
    if (member?.weighted === true && member.usable) this.#picker.add(member);
    else this.#picker.remove(key);
  }

  /** It comes (back) into rotation: slowly, when others serve. The picker is to be told by the caller. */
  enter(member: PoolMember): void {
    if (!this.#serving.has(member) && this.serves) {
      this.#factors.entered(member.key);
      member.reweigh(this.factorOf(member.key));
    }
    this.note(member);
  }

  /** Its connection, its standing or its weight has changed. */
  note(member: PoolMember): void {
    const { connected, usable, weighted, left } = member;
    if (connected && usable && weighted && !left) this.#serving.add(member);
    else this.#serving.delete(member);
  }

  /** Nothing that was learned of it counts any more: it has left, or has no weight. */
  forget({ key }: PoolMember): void {
    this.#ejection?.forget(key);
    this.#factors.forget(key);
  }

  /** Others can be picked than before: how many may be out depends on that. */
  recount(): void {
    this.#ejection?.recount();
    if (this.size > 0) this.#someServe();
    else if (!this.#toldNone && this.#ports.noneServes()) {
      this.#toldNone = true;
      const { logger } = this.#ports;
      logger.error({}, "all instances say that they are not serving: calls wait until one does");
    }
  }

  /** Stops all timers; nobody can be picked. */
  close(): void {
    this.#ejection?.close();
    this.#factors.close();
    this.#serving.clear();
    this.#picker.update([]);
  }

  #onOut(key: string, cause: EjectionCause, forMs: number): void {
    this.#ports.onEjected(cause);
    const fields = Number.isFinite(forMs) ? { cause, forMs: Math.round(forMs) } : { cause };
    this.#ports.memberOf(key)?.out("ejected", fields);
  }

  #someServe(): void {
    if (!this.#toldNone) return;
    this.#toldNone = false;
    this.#ports.logger.info({}, "instances can be called again");
  }

  #reweigh(key: string): void {
    const member = this.#ports.memberOf(key);
    if (member?.reweigh(this.factorOf(key)) === true && member.usable) this.#picker.add(member);
  }
}
