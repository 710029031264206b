import { describe, expect, it } from "vitest";
import { createStateCell, hostTransitions } from "../../../src/host/host-state.js";

const states = ["starting", "warming", "ready", "unready", "draining", "stopped"] as const;
const paths = {
  starting: [],
  warming: ["warming"],
  ready: ["warming", "ready"],
  unready: ["warming", "ready", "unready"],
  draining: ["draining"],
  stopped: ["stopped"],
} as const;

describe("createStateCell", () => {
  for (const from of states) {
    for (const to of states) {
      const allowed = hostTransitions[from].includes(to);
      it(`${allowed ? "lets" : "keeps"} a ${from} host ${allowed ? "become" : "from becoming"} ${to}`, () => {
        const cell = createStateCell();
        for (const step of paths[from]) cell.move(step);
        expect(cell.current).toBe(from);
        if (allowed) cell.move(to);
        else expect(() => cell.move(to)).toThrow(`a ${from} host cannot become ${to}`);
        expect(cell.current).toBe(allowed ? to : from);
      });
    }
  }

  it("tells of every change until that is taken back", () => {
    const cell = createStateCell();
    const told: string[] = [];
    const takeBack = cell.onChange((state) => told.push(state));
    cell.move("warming");
    cell.move("ready");
    takeBack();
    cell.move("unready");
    expect(told).toEqual(["warming", "ready"]);
  });
});
