import type { Instance } from "../../core/instance.js";
import type { EtcdChange, EtcdEntry } from "../../wire/etcd.js";
import { namingItemFromValue } from "../../wire/etcd-naming.js";
import type { LearnedChange, LearnedList } from "../snapshot-keeper.js";

/**
 * The instances that stand below a prefix, kept up to date key by key: a change costs nothing for the other ones.
 *
 * Of several keys with the same address the one with the greatest weight counts, of equals the first in order of keys.
 */
export class EtcdList {
  readonly #prefix: string;
  /** By key of etcd's; all that make sense. */
  readonly #items = new Map<string, Instance>();
  /** Keys of etcd's by address: nearly always one, and a set for each would cost more than all the rest. */
  readonly #keys = new Map<string, string | Set<string>>();
  /** What is wrong with the others, by key. */
  readonly #problems = new Map<string, string>();
  /** Keys that go when nobody renews a lease. */
  readonly #leased = new Set<string>();
  /** Those that are gone, and whose instances are kept. */
  readonly #kept = new Set<string>();
  /** Addresses that may count differently now, where the whole list is not to be taken anyway. */
  readonly #touched = new Set<string>();
  #replaced = false;
  #newProblem: string | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Whether something stands there, and none of it makes sense. */
  get senseless(): boolean {
    return this.#items.size === 0 && this.#problems.size > 0;
  }

  /** How many items make no sense. */
  get rejected(): number {
    return this.#problems.size;
  }

  /** Whether somebody is kept who does not stand there any more. */
  get keeps(): boolean {
    return this.#kept.size > 0;
  }

  /**
   * All that stands there now; has to be taken whole.
   *
   * @param keep - who stood there under a lease is kept until {@link letGo}
   */
  replace(entries: readonly EtcdEntry[], keep = false): void {
    const leased = keep ? [...this.#leased] : [];
    const before = leased.map((key) => [key, this.#items.get(key)] as const);
    this.#replaced = true;
    this.#touched.clear();
    this.#items.clear();
    this.#keys.clear();
    this.#problems.clear();
    this.#leased.clear();
    this.#kept.clear();
    for (const entry of entries) this.#put(entry);
    if (before.length > 0) this.#keepMissing(before, new Set(entries.map(({ key }) => key)));
  }

  /**
   * What has changed, in order.
   *
   * @param keep - who stood there under a lease is kept until {@link letGo}
   */
  apply(changes: readonly EtcdChange[], keep = false): void {
    for (const { key, entry } of changes) {
      if (entry === undefined && keep && this.#leased.has(key)) {
        this.#kept.add(key);
        continue;
      }
      this.#remove(key);
      if (entry !== undefined) this.#put(entry);
    }
  }

  /** Who is kept goes. */
  letGo(): void {
    for (const key of [...this.#kept]) this.#remove(key);
  }

  /** What has come of all that was told since the last time; may name who is as before. */
  takeChange(): LearnedChange {
    const changed: Instance[] = [];
    const removed: string[] = [];
    for (const address of this.#touched) {
      const now = this.#counting(address);
      if (now === undefined) removed.push(address);
      else changed.push(now);
    }
    this.#touched.clear();
    return { changed, removed, rejected: this.rejected, firstProblem: this.#takeProblem() };
  }

  /** The whole list. */
  takeAll(): LearnedList {
    this.#replaced = false;
    this.#touched.clear();
    const instances: Instance[] = [];
    for (const address of this.#keys.keys()) {
      const instance = this.#counting(address);
      if (instance !== undefined) instances.push(instance);
    }
    return { instances, rejected: this.rejected, firstProblem: this.#takeProblem() };
  }

  #takeProblem(): string | undefined {
    const problem = this.#newProblem;
    this.#newProblem = undefined;
    return problem;
  }

  #keepMissing(
    before: readonly (readonly [string, Instance | undefined])[],
    there: ReadonlySet<string>,
  ): void {
    for (const [key, instance] of before) {
      if (instance === undefined || there.has(key)) continue;
      this.#add(key, instance);
      this.#leased.add(key);
      this.#kept.add(key);
    }
  }

  #put({ key, value, lease }: EtcdEntry): void {
    const item = namingItemFromValue(key.slice(this.#prefix.length), value);
    if (item.kind === "rejected") {
      this.#problems.set(key, item.problem);
      this.#newProblem ??= `${JSON.stringify(key.slice(0, 200))}: ${item.problem}`;
    }
    if (item.kind !== "listed") return;
    this.#add(key, item.instance);
    if (lease !== 0n) this.#leased.add(key);
  }

  #add(key: string, instance: Instance): void {
    this.#items.set(key, instance);
    this.#touch(instance.key);
    const keys = this.#keys.get(instance.key);
    if (keys === undefined || keys === key) this.#keys.set(instance.key, key);
    else if (typeof keys === "string") this.#keys.set(instance.key, new Set([keys, key]));
    else keys.add(key);
  }

  #remove(key: string): void {
    this.#problems.delete(key);
    this.#leased.delete(key);
    this.#kept.delete(key);
    const instance = this.#items.get(key);
    if (instance === undefined) return;
    this.#items.delete(key);
    this.#touch(instance.key);
    const keys = this.#keys.get(instance.key);
    if (typeof keys === "object") keys.delete(key);
    if (keys === key || (typeof keys === "object" && keys.size === 0)) {
      this.#keys.delete(instance.key);
    }
  }

  #touch(address: string): void {
    if (!this.#replaced) this.#touched.add(address);
  }

  #counting(address: string): Instance | undefined {
    const keys = this.#keys.get(address) ?? [];
    if (typeof keys === "string") return this.#items.get(keys);
    let best: Instance | undefined;
    let bestKey = "";
    for (const key of keys) {
      const instance = this.#items.get(key);
      if (instance === undefined) continue;
      const heavier = best === undefined || instance.weight > best.weight;
      if (heavier || (instance.weight === best?.weight && key < bestKey)) {
        best = instance;
        bestKey = key;
      }
    }
    return best;
  }
}
