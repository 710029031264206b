// A processor whose calls are parts of the call that is served: the path says what it does with the client of `modelConfig.inner`.
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "inferwire/client";
import { BaseProcessor } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";

const ROUND_MS = 20;

export class Inheriting extends BaseProcessor {
  functions = { ask: () => this.#ask("left") };

  #inner;
  #loop;
  /** How the calls of the loop ended, one mark each. */
  #rounds = "";

  #answers = {
    ask: () => this.#ask("left"),
    hang: () => this.#ask("hang"),
    detached: () => this.#ask("left", { detached: true }),
    // It comes long after the answer, and after the time that the call had.
    behind: (data) => {
      void wait(Number(data)).then(() => this.#ask("left"));
      return Buffer.from(data);
    },
    // The first call that needs the loop begins it, and waits until it is given up itself.
    loop: async (_, { signal }) => {
      this.#loop ??= setInterval(() => this.#round(), ROUND_MS);
      await once(signal, "abort");
      // What is asked now is for nobody.
      await this.#round();
      throw signal.reason;
    },
    rounds: () => Buffer.from(this.#rounds),
    // Goes on for longer than a call may that is answered at once.
    pieces: (data) => this.#pieces(Number(data)),
  };

  initialize({ modelConfig: { inner } }) {
    this.#inner = createClient(PredictServiceDefinition, { target: inner, timeoutMs: 60_000 });
  }

  async dispose() {
    clearInterval(this.#loop);
    await this.#inner?.[Symbol.asyncDispose]();
  }

  process(data, call) {
    return this.#answers[call.path.replace(/^\//, "")](Buffer.from(data).toString(), call);
  }

  async #ask(path, extras) {
    return Buffer.from((await this.#inner.predict({ path }, extras)).data);
  }

  async #round() {
    const mark = await this.#ask("left").then(
      () => "+",
      () => "-",
    );
    this.#rounds += mark;
  }

  async *#pieces(ms) {
    yield await this.#ask("left");
    await wait(ms);
    yield Buffer.from(" ");
    yield await this.#ask("left");
  }
}

export { Inheriting as processor };
