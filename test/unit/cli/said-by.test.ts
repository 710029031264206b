import { describe, expect, it } from "vitest";
import { saidBy } from "../../../src/cli/said-by.js";
import { servingError } from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";
import { attemptError } from "../../../src/transport/attempt-error.js";
import { localEnd } from "../../../src/transport/local-end.js";

describe("saidBy", () => {
  it("leaves out what stands around the words of a failed attempt", () => {
    const end = localEnd("CONNECT_FAILED", "connect ECONNREFUSED on a: 1; so it is");
    const error = attemptError("/a/B", end, { instance: "a:1" });
    expect(saidBy(error)).toBe("connect ECONNREFUSED on a: 1; so it is");
  });

  it("has plain words for an answer that did not come in time", () => {
    const late = localEnd("DEADLINE_EXCEEDED", "Deadline exceeded after 2s,waiting for LB pick");
    expect(saidBy(attemptError("/a/B", late, { instance: "a:1" }))).toBe("no answer in time");
    const told = {
      ...late,
      message: "took too long",
      code: Status.DEADLINE_EXCEEDED,
      remote: true,
    };
    expect(saidBy(attemptError("/a/B", told, { instance: "a:1" }))).toBe("took too long");
  });

  it("leaves other errors as they are", () => {
    expect(saidBy(servingError("NO_INSTANCE", "none on a:1: no"))).toBe("none on a:1: no");
    expect(saidBy(attemptError("/a/B", localEnd("CALL_FAILED", "no")))).toContain("/a/B: no");
  });
});
