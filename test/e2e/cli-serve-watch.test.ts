import { closeClient, createClient } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { expect, it } from "vitest";
import { scratchFolder, servedPort, startCli } from "../support/cli.js";
import { until } from "../support/until.js";

const MODULE = `
import { BaseProcessor } from "inferwire/host";
import { answer } from "./answer.mjs";

class Answering extends BaseProcessor {
  process() {
    return Buffer.from(answer);
  }
}
await new Answering({ endpoint: "127.0.0.1:0" }).run();
`;

const answering = (answer: number | string): string => `export const answer = "${answer}";\n`;

/** Keeps calls going, one after the other, and keeps what they gave. */
function callers(call: () => Promise<string>, count: number) {
  const answers = new Set<string>();
  const errors: unknown[] = [];
  let calls = 0;
  let stopped = false;
  const loop = async (): Promise<void> => {
    while (!stopped) {
      calls++;
      await call().then(
        (answer) => answers.add(answer),
        (error: unknown) => errors.push(error),
      );
    }
  };
  const loops = Array.from({ length: count }, loop);
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(loops);
      return { calls, errors };
    },
  };
}

for (const lane of ["inline", "thread", "process"]) {
  it(`drops no call while its module changes, with lane ${lane}`, { timeout: 90_000 }, async () => {
    const edits = lane === "inline" ? 4 : 2;
    const folder = scratchFolder();
    folder.write("answer.mjs", answering(0));
    const main = folder.write("main.mjs", MODULE);
    const flags = ["--watch", "--lane", lane, "--worker-threads", "2", "--log-level", "warn"];
    const program = startCli(["serve", main, "--json", ...flags]);
    await program.said('"address"');
    const port = servedPort(program);
    // What a GOAWAY refuses was never begun: this client, as any other for gRPC, sends it again by itself.
    const client = createClient(PredictServiceDefinition, { target: `127.0.0.1:${port}` });
    const grpc = callers(async () => {
      const { data } = await client.predict({ data: new Uint8Array() });
      return Buffer.from(data).toString();
    }, 2);
    const http = callers(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/x`, { method: "POST", body: "x" });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${text}`);
      return text;
    }, 2);
    for (let edit = 1; edit <= edits; edit++) {
      if (edit === 2) {
        folder.write("answer.mjs", "export cont answer");
        await program.said("INITIALIZE_FAILED");
      }
      folder.write("answer.mjs", answering(edit));
      const answered = (): boolean =>
        grpc.answers.has(String(edit)) && http.answers.has(String(edit));
      await until(answered, 60_000);
    }
    const ends = await Promise.all([grpc.stop(), http.stop()]);
    await closeClient(client);
    expect(ends.map(({ errors }) => errors)).toEqual([[], []]);
    expect(Math.min(...ends.map(({ calls }) => calls))).toBeGreaterThan(edits);
    program.child.kill("SIGTERM");
    expect(await program.exited).toBe(0);
  });
}
