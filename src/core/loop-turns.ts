/** Resolves in the next turn of the event loop, when timers have fired and what other connections sent has been read. */
export function nextLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Runs when what had arrived by now has been read, however late the timers of this turn are: two turns of the event loop later. */
export function afterReads(run: () => void): void {
  setImmediate(() => setImmediate(run));
}

/** Gives each piece of work a turn of the event loop of its own: where they work long, everybody else's work comes between. */
export class LoopTurns {
  #latest: Promise<void> = Promise.resolve();

  /** Resolves in a turn that nobody else is given. */
  next(): Promise<void> {
    this.#latest = this.#latest.then(nextLoopTurn);
    return this.#latest;
  }
}
