import { isReason } from "../../core/error-catalog.js";
import { Counts } from "./report.js";
import type { WireEnd } from "./wire-client.js";

/** What a call came to that did not end. */
export const HUNG = "did not end";

/** Ends that the processor has to answer for, whatever is done to its host. */
const processorFaults: ReadonlySet<string> = new Set([
  "PROCESSOR_THREW",
  "PROCESSOR_BAD_ANSWER",
  "REQUEST_QUARANTINED",
]);

/** Ends that are nobody's fault only while something is done to the host. */
const calmFaults: ReadonlySet<string> = new Set(["DEADLINE_EXCEEDED", "LANE_DIED"]);

/** What became of all calls so far. */
export interface CallFigures {
  readonly outcomes: Counts;
  /** What the processor failed, by what came of it. */
  readonly processorFaults: Counts;
  /** What the host failed: calls that never ended, or ended with no error of the catalogue. */
  readonly hostFaults: Counts;
  /** How long the calls that outlived their deadline did so, in milliseconds. */
  readonly overrunsMs: readonly number[];
  /** The answer that all have to be; undefined while it is not known, and for processors that answer anew each time. */
  readonly reference: Buffer | undefined;
  /** Answers compared with it, and those that were another. */
  readonly compared: number;
  readonly different: number;
}

/** Judges how each call ends: whether it may, and who has to answer for it when not. */
export class CallJudge implements CallFigures {
  readonly outcomes: Counts = new Counts();
  readonly processorFaults: Counts = new Counts();
  readonly hostFaults: Counts = new Counts();
  readonly overrunsMs: number[] = [];
  reference: Buffer | undefined;
  compared: number = 0;
  different: number = 0;
  #away = false;
  #awayUntilMs = 0;

  /** The host goes down: until it is back, connections may be refused and break. */
  goneAway(): void {
    this.#away = true;
  }

  /** The host is back; calls that began before may be lost still. */
  backAt(ms: number): void {
    this.#away = false;
    this.#awayUntilMs = ms;
  }

  /**
   * Judges the end of a call.
   *
   * @param calm - whether nothing was done to the host while it was under way
   */
  judge(end: WireEnd, calm: boolean): void {
    const { outcome } = end;
    this.outcomes.add(outcome);
    const overrunMs = end.endedMs - end.beganMs - end.timeoutMs;
    if (overrunMs > 0 && outcome !== HUNG) this.overrunsMs.push(overrunMs);
    if (outcome === "OK") this.#compare(end.answers);
    else if (processorFaults.has(outcome) || (calm && calmFaults.has(outcome))) {
      this.processorFaults.add(outcome);
    } else if (outcome === "LOST" ? !this.#wasAway(end) : !isReason(outcome)) {
      this.hostFaults.add(outcome);
    }
  }

  /** Judges the end of something that is no proper call: it only has to end. */
  judgeOdd({ outcome }: WireEnd): void {
    this.outcomes.add(outcome);
    if (outcome === HUNG) this.hostFaults.add(HUNG);
  }

  #wasAway({ beganMs }: WireEnd): boolean {
    return this.#away || beganMs < this.#awayUntilMs;
  }

  #compare(answers: readonly Uint8Array[]): void {
    if (this.reference === undefined) return;
    this.compared++;
    if (!this.reference.equals(Buffer.concat(answers))) this.different++;
  }
}
