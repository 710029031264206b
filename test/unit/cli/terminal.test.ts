import { describe, expect, it } from "vitest";
import { createTerminal, type Terminal } from "../../../src/cli/terminal.js";
import { type RecordedWorld, recordedWorld } from "../../support/cli-world.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

interface Parts {
  readonly terminal: Terminal;
  readonly said: RecordedWorld["said"];
  readonly clock: FakeClock;
}

function made(options: { readonly json?: boolean; readonly tty?: boolean } = {}): Parts {
  const { json = false, tty = false } = options;
  const { stdout, stderr, said } = recordedWorld({ tty });
  const clock = createFakeClock();
  return { terminal: createTerminal({ json, stdout, stderr, clock }), said, clock };
}

const ESCAPE = "\u001b";

describe("createTerminal", () => {
  it("writes results to stdout, everything else to stderr", () => {
    const { terminal, said } = made();
    terminal.result({ a: 1 }, "a is 1");
    terminal.note("by the way");
    terminal.aside({ b: 2 }, "b is 2");
    terminal.fail({ c: 3 }, "c is 3");
    expect(said).toEqual({ stdout: "a is 1\n", stderr: "by the way\nb is 2\nc is 3\n" });
  });

  it("writes JSON for machines, one value a line, and nothing that is for people", () => {
    const { terminal, said, clock } = made({ json: true });
    const progress = terminal.progress("working");
    clock.advance(60_000);
    progress.done();
    terminal.result({ a: 1 }, "a is 1");
    terminal.note("by the way");
    terminal.aside({ b: 2 }, "b is 2");
    terminal.fail({ c: 3 }, "c is 3");
    expect(said).toEqual({ stdout: '{"a":1}\n', stderr: '{"b":2}\n{"c":3}\n' });
  });

  it("adds no line end to a text that has one", () => {
    const { terminal, said } = made();
    terminal.result(undefined, "one\ntwo\n");
    expect(said.stdout).toBe("one\ntwo\n");
  });

  it("dims what stands beside the results where people look", () => {
    const { terminal, said } = made({ tty: true });
    terminal.aside({}, "beside");
    expect(said.stderr).toBe(`${ESCAPE}[2mbeside${ESCAPE}[22m\n`);
  });

  const hostile = "a\r\u001b[2J\u001b]0;title\u0007\u009b31m\u007f\u202eb\n\tc";
  const harmless = "a\\u000d\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\u007f\\u202eb\n\tc\n";

  it.each(["result", "aside", "fail"] as const)("lets no text of %s command a terminal", (name) => {
    const { terminal, said } = made();
    terminal[name]({}, hostile);
    expect(said.stdout + said.stderr).toBe(harmless);
  });

  it("lets no text of a note or of progress command a terminal", () => {
    const { terminal, said, clock } = made();
    terminal.note(hostile);
    expect(said.stderr).toBe(harmless);
    terminal.progress("x").update("\u001b[2J\n");
    clock.advance(1_000);
    expect(said.stderr).toContain("x ... \\u001b[2J\\u000a (1 s)");
  });

  it("changes no value for machines, and lets none command a terminal either", () => {
    const { terminal, said } = made({ json: true });
    terminal.result({ text: hostile }, "");
    expect(JSON.parse(said.stdout)).toEqual({ text: hostile });
    expect(said.stdout.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });
});

describe("Terminal.progress", () => {
  it("says nothing within the first second", () => {
    const { terminal, said, clock } = made({ tty: true });
    const progress = terminal.progress("working");
    clock.advance(999);
    progress.done();
    clock.advance(60_000);
    expect(said.stderr).toBe("");
  });

  it("draws one line anew where people look, and takes it back", () => {
    const { terminal, said, clock } = made({ tty: true });
    const progress = terminal.progress("working");
    progress.update("1 of 2");
    clock.advance(1_000);
    expect(said.stderr).toBe(`\r${ESCAPE}[Kworking ... 1 of 2 (1 s)`);
    terminal.result({}, "a result");
    expect(said.stderr.endsWith(`\r${ESCAPE}[K`)).toBe(true);
    progress.done();
    clock.advance(10_000);
    expect(clock.pending()).toEqual([]);
  });

  it("writes a line now and then into a pipe, without any escape", () => {
    const { terminal, said, clock } = made();
    const progress = terminal.progress("working");
    clock.advance(11_000);
    progress.done();
    expect(said.stderr).toBe("working ... (1 s)\nworking ... (11 s)\n");
  });

  it("ends an earlier one", () => {
    const { terminal, said, clock } = made();
    terminal.progress("first");
    terminal.progress("second").update("x");
    clock.advance(1_000);
    expect(said.stderr).toBe("second ... x (1 s)\n");
  });

  it("keeps no process alive", () => {
    const { terminal, clock } = made();
    terminal.progress("working");
    expect(clock.pending().map(({ background }) => background)).toEqual([true]);
  });
});
