import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { scratchFolder, servedPort, startCli } from "../support/cli.js";
import { untilGone } from "../support/processes.js";
import { post } from "../support/raw-http.js";
import { until } from "../support/until.js";

const module = (work: string): string => `
import { writeFileSync } from "node:fs";
import { BaseProcessor } from "inferwire/host";

export class processor extends BaseProcessor {
  process() {
    ${work}
    return Buffer.from("mended");
  }
}
`;

/** Serves, watched, a module whose process that serves computes without an end. */
async function blocked() {
  const folder = scratchFolder();
  const pidFile = folder.path("pid");
  const noteAndLoop = `writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);`;
  const main = folder.write("main.mjs", module(noteAndLoop));
  const program = startCli(["serve", main, "--watch", "--endpoint", "127.0.0.1:0"]);
  await program.said("serving");
  const port = servedPort(program);
  // It gets no answer, whatever becomes of it.
  post(port, "/", "x").catch(() => {});
  await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
  const pid = Number(readFileSync(pidFile, "utf8"));
  return { program, port, pid, mend: () => folder.write("main.mjs", module("")) };
}

it("replaces a process that computes without an end, and ends it", {
  timeout: 60_000,
}, async () => {
  const { program, port, pid, mend } = await blocked();
  mend();
  await until(() => program.output().split("serving at").length === 3, 30_000);
  for (let call = 0; call < 4; call++) {
    expect((await post(port, "/", "x")).text).toBe("mended");
  }
  await untilGone(pid);
  program.child.kill("SIGTERM");
  expect(await program.exited).toBe(0);
});

it("ends it on SIGTERM", { timeout: 30_000 }, async () => {
  const { program, pid } = await blocked();
  program.child.kill("SIGTERM");
  expect(await program.exited).toBe(0);
  await untilGone(pid);
});

it("ends it at once on a second SIGTERM", { timeout: 30_000 }, async () => {
  const { program, pid } = await blocked();
  // Two in the same moment are one to Node.
  await until(() => {
    program.child.kill("SIGTERM");
    return program.child.exitCode !== null;
  });
  expect(program.child.exitCode).toBe(143);
  await untilGone(pid);
});

it("leaves no process behind when the one that watches is killed", {
  timeout: 30_000,
}, async () => {
  const { program, pid } = await blocked();
  program.child.kill("SIGKILL");
  await program.exited;
  await untilGone(pid);
});
