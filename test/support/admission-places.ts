import type { Invocation, Outcome } from "../../src/core/invocation.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import type { ServingError } from "../../src/core/serving-error.js";
import type { LanePool, Place } from "../../src/lane/lane-pool.js";

/** An answer of one payload. */
export const plainOutcome: Outcome = {
  payloads: new Uint8Array(0),
  status: 0,
  headers: emptyMetadata,
  trailers: emptyMetadata,
};

/** Lanes that a test plays: as many places as it says, hope as it says. */
export class FakePool implements LanePool {
  hopeful = true;
  /** What its lanes do with a call. */
  work: (invocation: Invocation) => Promise<Outcome> = () => Promise.resolve(plainOutcome);
  /** What is quarantined. */
  refusal: (invocation: Invocation) => ServingError | undefined = () => undefined;
  readonly load: LanePool["load"] = [];
  #places: number;
  #running = 0;
  #onFree: () => void = () => {};

  constructor(places: number) {
    this.#places = places;
  }

  get free(): number {
    return Math.max(0, this.#places - this.#running);
  }

  get running(): number {
    return this.#running;
  }

  /** Lanes come or go; calls that hold a place keep it. */
  setPlaces(places: number): void {
    this.setPlacesUntold(places);
    this.#onFree();
  }

  /** As {@link setPlaces}, but the listener is still to be told. */
  setPlacesUntold(places: number): void {
    this.#places = places;
  }

  /** No lane lives, and none is being started. */
  loseHope(): void {
    this.hopeful = false;
    this.setPlaces(0);
  }

  take(): Place | undefined {
    if (this.#running >= this.#places) return undefined;
    this.#running++;
    let released = false;
    return {
      run: (invocation) => this.work(invocation),
      release: () => {
        if (released) throw new Error("a place was given back twice");
        released = true;
        this.#running--;
        this.#onFree();
      },
    };
  }

  onFree(listener: () => void): void {
    this.#onFree = listener;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  get readyLanes(): number {
    return this.#places;
  }

  onReadyLanes(): void {}

  setCallsPerLane(): void {}

  tell(): number {
    return 0;
  }

  setProperties(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
