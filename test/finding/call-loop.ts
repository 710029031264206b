import { isServingError } from "inferwire";
import { createClient, type ServiceChannel } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { Counts } from "../../src/cli/chaos/report.js";
import { keepRate } from "../support/pace.js";

/** A call that was answered; times as `performance.now()` has them. */
export interface LoopCall {
  readonly beganMs: number;
  readonly endedMs: number;
  /** `host:port` of the instance that answered. */
  readonly instance: string;
}

/** Calls over a channel, so many a second, whatever happens to what lists the instances. */
export class CallLoop {
  /** `OK`, and the reasons of those that failed. */
  readonly outcomes: Counts = new Counts();
  readonly #calls: LoopCall[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #ended: Promise<void>;
  #stopped = false;

  /** @param idempotent - whether calls may be repeated that a host has begun before it died */
  constructor(channel: ServiceChannel, perSecond: number, idempotent = false) {
    const methods = { predict: { idempotent } };
    const client = createClient(PredictServiceDefinition, { channel, methods });
    const data = Buffer.from("again");
    const make = async (): Promise<void> => {
      const beganMs = performance.now();
      let instance = "";
      try {
        await client.predict(
          { data },
          {
            onReport: ({ attempts }) => {
              instance = attempts.at(-1)?.instance ?? "";
            },
          },
        );
        this.outcomes.add("OK");
        this.#calls.push({ beganMs, endedMs: performance.now(), instance });
      } catch (error) {
        this.outcomes.add(isServingError(error) ? error.reason : String(error));
      }
    };
    const begin = (): void => {
      const call = make();
      this.#open.add(call);
      void call.then(() => this.#open.delete(call));
    };
    this.#ended = keepRate(perSecond, () => !this.#stopped, begin);
  }

  /** Calls that were answered and had begun at this moment or after it, in the order of their answers. */
  since(ms: number): readonly LoopCall[] {
    const last = this.#calls.findLastIndex((call) => call.endedMs < ms);
    return this.#calls.slice(last + 1).filter((call) => call.beganMs >= ms);
  }

  /** Begins no more calls, and waits for those that are under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    await Promise.all(this.#open);
  }
}
