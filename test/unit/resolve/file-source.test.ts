import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { createFileSource } from "../../../src/resolve/file-source.js";
import type { Source } from "../../../src/resolve/source.js";
import type { FileTarget } from "../../../src/resolve/target/target-kind.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { createFakeFiles, type FakeFiles } from "../../support/fake-files.js";
import { easBody } from "../../support/source-http-server.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

const text = "file:///lists/mnist.json";
const target: FileTarget = { kind: "file", text, service: "mnist", path: "/lists/mnist.json" };
const one = easBody([{ ip: "10.0.0.1", port: 80 }]);
const two = easBody([{ ip: "10.0.0.2", port: 80 }]);

interface Fixture {
  readonly clock: FakeClock;
  readonly files: FakeFiles;
  readonly recorder: SourceRecorder;
  readonly source: Source;
}

async function started(content: FakeFiles["content"] = one): Promise<Fixture> {
  const clock = createFakeClock();
  const files = createFakeFiles();
  files.content = content;
  const recorder = createSourceRecorder();
  const source = createFileSource(target, {
    clock,
    logger: silentLogger,
    random: () => 0.5,
    pollIntervalMs: 5_000,
    files,
  });
  source.start(recorder);
  await clock.settle();
  return { clock, files, recorder, source };
}

describe("createFileSource", () => {
  it("reads the file, and again at once when something happens to it", async () => {
    const { clock, files, recorder, source } = await started();
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    files.content = two;
    files.event("mnist.json");
    await clock.settle(100);
    expect(recorder.listed()).toEqual(["10.0.0.2:80=100"]);
    await source.close();
    expect(files.watches).toBe(0);
  });

  it("joins events, and reads nothing when others' files change", async () => {
    const { clock, files, source } = await started();
    for (let count = 0; count < 1_000; count++) files.event("mnist.json");
    await clock.settle(100);
    expect(files.reads).toBe(2);
    for (let count = 0; count < 1_000; count++) files.event("other.json");
    await clock.settle(100);
    expect([files.looks, files.reads]).toEqual([3, 2]);
    await source.close();
  });

  it("sees by itself what no event tells, and confirms what is as it was", async () => {
    const { clock, files, recorder, source } = await started();
    await clock.settle(5_000);
    expect(recorder.confirmed.at(-1)).toMatchObject({ version: 1, confirmedAtMs: clock.now() });
    expect(files.reads).toBe(1);
    files.content = two;
    await clock.settle(5_000);
    expect(recorder.listed()).toEqual(["10.0.0.2:80=100"]);
    await source.close();
  });

  it("does without a watch, and watches as soon as it can", async () => {
    const { clock, files, recorder, source } = await started();
    files.unwatchable = true;
    await clock.settle(5_000);
    expect(files.watches).toBe(0);
    files.content = two;
    await clock.settle(5_000);
    expect(recorder.listed()).toEqual(["10.0.0.2:80=100"]);
    files.unwatchable = false;
    await clock.settle(50_000);
    expect(files.watches).toBe(1);
    await source.close();
  });

  it.each<[string, FakeFiles["content"], string]>([
    ["missing", new Error("ENOENT: no such file"), "DIRECTORY_FAILED"],
    ["half written", one.slice(0, 20), "UPSTREAM_MALFORMED"],
    ["empty", "", "UPSTREAM_MALFORMED"],
    ["without a usable item", easBody([{ ip: "x" }]), "UPSTREAM_MALFORMED"],
    ["on a file system that hangs", "never", "DIRECTORY_FAILED"],
  ])("keeps its list while the file is %s, and says so once", async (_, content, reason) => {
    const { clock, files, recorder, source } = await started();
    const confirmedAtMs = clock.now();
    files.content = content;
    files.event("mnist.json");
    await clock.settle(60_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last).toMatchObject({ version: 2, stale: true, confirmedAtMs });
    expect(recorder.errors).toMatchObject([{ reason }]);
    expect(recorder.errors[0]?.message).toContain(text);
    await source.close();
    expect(clock.pending()).toEqual([]);
  });

  it("is fresh again when the file is what it was before", async () => {
    const { clock, files, recorder, source } = await started();
    files.content = new Error("EIO: i/o error");
    await clock.settle(5_000);
    files.content = one;
    await clock.settle(5_000);
    expect(recorder.snapshots.map(({ stale }) => stale)).toEqual([false, true, false]);
    await source.close();
  });

  it("believes an empty list at once: somebody wrote it", async () => {
    const { clock, files, recorder, source } = await started();
    files.content = easBody([]);
    files.event("..data");
    await clock.settle(100);
    expect(recorder.last).toMatchObject({ instances: [], stale: false });
    await source.close();
  });
});
