import type { Clock } from "../../core/ports.js";
import { CallJudge, HUNG } from "./call-judge.js";
import type { Pace } from "./pace.js";
import type { ChaosRequest } from "./request.js";
import { type WireCall, WireClient, type WireEnd } from "./wire-client.js";

/** Time after its deadline in which a call has to have ended. */
const GRACE_MS = 5_000;
const CONNECTIONS = 2;

/** Makes calls to a host and has each of them judged. */
export class ChaosLoad {
  readonly judge: CallJudge = new CallJudge();
  /** Nothing is being done to the host. */
  calm: boolean = true;
  request: ChaosRequest;
  /** Milliseconds that an ordinary call may take. */
  readonly timeoutMs: number;
  readonly #pace: Pace;
  #client: WireClient;
  #more = false;
  #workers: Promise<unknown> = Promise.resolve();

  constructor(
    port: number,
    {
      request,
      timeoutMs,
      pace,
    }: Pick<ChaosLoad, "request" | "timeoutMs"> & { readonly pace: Pace },
  ) {
    this.#pace = pace;
    this.#client = new WireClient(port, pace.clock, CONNECTIONS);
    this.request = request;
    this.timeoutMs = timeoutMs;
    pace.signal.addEventListener("abort", () => this.close(), { once: true });
  }

  /** The host goes down: until it is back, connections may be refused and break. */
  goneAway(): void {
    this.judge.goneAway();
  }

  /** The host is back, on another port. */
  backOn(port: number): void {
    this.#client.close();
    this.#client = new WireClient(port, this.#pace.clock, CONNECTIONS);
    this.judge.backAt(this.#pace.now());
  }

  /**
   * Makes a call that is judged; `touch` may hurt it.
   *
   * @throws CallError `CANCELLED` when the run is ended: what became of the call then is nobody's fault.
   */
  async call(
    timeoutMs: number = this.timeoutMs,
    touch?: (call: WireCall) => void,
  ): Promise<WireEnd> {
    const { path, body } = this.request;
    const { calm } = this;
    const call = this.#begin(path, body, timeoutMs);
    touch?.(call);
    const end = await this.#endOf(call, timeoutMs);
    this.judge.judge(end, calm && this.calm);
    return end;
  }

  /** Makes a call with something else in place of the request, which has to end all the same. */
  async odd(path: string, body: Uint8Array): Promise<WireEnd> {
    const end = await this.#endOf(this.#begin(path, body, this.timeoutMs), this.timeoutMs);
    this.judge.judgeOdd(end);
    return end;
  }

  /** Keeps so many calls under way, a little apart, until `stop`. */
  begin(atATime: number, apartMs: number): void {
    this.#more = true;
    const worker = async (): Promise<void> => {
      try {
        while (this.#more) {
          await this.call();
          await this.#pace.wait(apartMs);
        }
      } catch (thrown) {
        if (!this.#pace.signal.aborted) throw thrown;
      }
    };
    this.#workers = Promise.all(Array.from({ length: atATime }, worker));
  }

  /** Begins no more calls, and waits for those that are under way. */
  async stop(): Promise<void> {
    this.#more = false;
    await this.#workers;
  }

  /** Breaks the connections. */
  close(): void {
    this.#client.close();
  }

  #begin(path: string, body: Uint8Array, timeoutMs: number): WireCall {
    this.#pace.check();
    return this.#client.call(path, body, { timeoutMs });
  }

  async #endOf(call: WireCall, timeoutMs: number): Promise<WireEnd> {
    const end = await withinLimit(call, timeoutMs, this.#pace.clock);
    this.#pace.check();
    return end;
  }
}

async function withinLimit(call: WireCall, timeoutMs: number, clock: Clock): Promise<WireEnd> {
  let cancelTimer = (): void => {};
  const hung = new Promise<WireEnd>((resolve) => {
    cancelTimer = clock.after(timeoutMs + GRACE_MS, () => {
      const endedMs = clock.now();
      const { beganMs } = call;
      resolve({ outcome: HUNG, message: "", answers: [], beganMs, endedMs, timeoutMs });
      call.cancel();
    });
  });
  const end = await Promise.race([call.ended, hung]);
  cancelTimer();
  return end;
}
