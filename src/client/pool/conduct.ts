import type { CancelTimer } from "../../core/ports.js";
import { AnswerTime } from "./answer-time.js";
import { AttemptWindow } from "./attempt-window.js";

/** How attempts on one instance went, as far as it is remembered, and whether it is out for that. */
export class Conduct {
  readonly key: string;
  readonly window: AttemptWindow = new AttemptWindow();
  readonly time: AnswerTime = new AnswerTime();
  /** Failures since the last answer. */
  failures = 0;
  /** It has come back and not answered since. */
  probation = false;
  /** Out until its time is over. */
  timed = false;
  /** That is, or was last, for failures in a row. */
  forFailures = false;
  /** Out until it is heard. */
  mute = false;
  /** How often it has been out lately, for a time. */
  times = 0;
  /** When it came back last. */
  backMs = 0;
  stopTimer: CancelTimer | undefined;

  constructor(key: string) {
    this.key = key;
  }
}
