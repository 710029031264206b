import { describe, expect, it } from "vitest";
import { laneExecArguments } from "../../../src/lane/process-lanes.js";

describe("laneExecArguments", () => {
  it("keeps the options of Node, but for those that say what to run or take a port", () => {
    const own = [
      ["--max-old-space-size=64", "--import", "tsx", "--conditions=test", "-r", "./a.cjs"],
      ["--inspect", "--inspect=127.0.0.1:0", "--inspect-brk", "--inspect-port=0", "--inspect-wait"],
      ["-e", "run()", "--eval", "run()", "--input-type=module", "--watch", "--watch-path=."],
      ["--test-reporter", "spec", "--test-reporter-destination", "stdout", "--test-timeout=5"],
      ["--watch-path", "./src", "--test-name-pattern", "a", "--test-only", "--inspect-port=1"],
      ["--inspect-port", "9230", "--env-file=.env", "--test-name-pattern=a", "-i"],
    ].flat();
    expect(laneExecArguments(own)).toEqual([
      ...["--max-old-space-size=64", "--import", "tsx", "--conditions=test", "-r", "./a.cjs"],
      "--env-file=.env",
      ...["--no-inspect", "--no-inspect-brk", "--no-inspect-wait"],
    ]);
  });
});
