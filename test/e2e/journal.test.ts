import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { startDirectory } from "inferwire/directory";
import { afterEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { type FileStoreOptions, openFileStore } from "../../src/directory/journal/file-store.js";
import { openJournal } from "../../src/directory/journal/journal.js";
import { type JournalRecord, lineFromRecord } from "../../src/directory/journal/journal-record.js";
import type { DirectoryStore } from "../../src/directory/store.js";
import type { Lease } from "../../src/wire/upstream-registration.js";
import { createDirectoryClient } from "../support/directory-client.js";
import { createFailingFiles, type FailingFiles } from "../support/failing-files.js";
import { createFakeClock, type FakeClock } from "../support/fake-clock.js";
import { emptyFolder } from "../support/folders.js";
import { untilGone } from "../support/processes.js";
import { type LogLine, recordingLogger } from "../support/recording-logger.js";

const HOLDER = "holder-of-sixteen-and-more";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Fixture {
  readonly clock: FakeClock;
  readonly files: FailingFiles;
  readonly lines: readonly LogLine[];
  readonly store: DirectoryStore;
  register(name: string, more?: { holder?: string; ttlMs?: number }): Promise<Lease>;
  weigh(instance: string, weight: number): Promise<unknown>;
  listed(): readonly string[];
}

function newPath(): string {
  return join(emptyFolder(), "journal");
}

async function opened(path: string, more: Partial<FileStoreOptions> = {}): Promise<Fixture> {
  const clock = createFakeClock();
  const files = createFailingFiles();
  const { lines, logger } = recordingLogger();
  const store = await openFileStore({ path, clock, logger, files, ...more });
  cleanUps.push(() => store.close());
  return {
    clock,
    files,
    lines,
    store,
    register(name, { holder = "", ttlMs = 10_000 } = {}) {
      const instance = instanceOf({ name, host: "10.0.0.1", port: name.charCodeAt(0) });
      return store.register({ service: "mnist", ttlMs, holder, instance });
    },
    weigh: (instance, weight) => store.setWeight({ service: "mnist", instance, weight }),
    listed: () => store.list("mnist").instances.map(({ name, weight }) => `${name}=${weight}`),
  };
}

/** What a journal at `path` would bring back. */
async function listedAt(path: string): Promise<readonly string[]> {
  const { listed, store } = await opened(path);
  const names = listed();
  await store.close();
  return names;
}

/** A journal with these instances, closed. */
async function written(path: string, ...names: readonly string[]): Promise<Buffer> {
  const { register, store } = await opened(path);
  for (const name of names) await register(name);
  await store.close();
  return readFileSync(path);
}

describe("a journal that ends too early", () => {
  it("is cut off behind its last whole record, wherever it ends", async () => {
    const path = newPath();
    const whole = await written(path, "a", "b");
    const last = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let end = last + 1; end < whole.length; end++) {
      writeFileSync(path, whole.subarray(0, end));
      const { listed, lines, store } = await opened(path);
      expect(listed()).toEqual(["a=100"]);
      expect(lines.filter(({ level }) => level === "warn")).toMatchObject([
        { fields: { journal: path, offset: last, bytes: end - last } },
      ]);
      await store.close();
      expect(readFileSync(path)).toEqual(whole.subarray(0, last));
    }
  });

  it.each([
    ["zeros", Buffer.alloc(5_000)],
    ["more zeros than any record", Buffer.alloc(200_000)],
    ["a line that nobody wrote", Buffer.from("deadbeef {}\n")],
    ["several lines that cannot be read", Buffer.from("x\n\ny\n")],
  ])("is cut off before %s", async (_, tail) => {
    const path = newPath();
    const whole = await written(path, "a", "b");
    writeFileSync(path, Buffer.concat([whole, tail]));
    const { listed, register, store } = await opened(path);
    expect(listed()).toEqual(["a=100", "b=100"]);
    await register("c");
    await store.close();
    expect(await listedAt(path)).toEqual(["a=100", "b=100", "c=100"]);
  });
});

describe("a journal that is damaged", () => {
  it("is refused with the place, and left as it is", async () => {
    const path = newPath();
    const whole = await written(path, "a", "b", "c");
    const first = whole.indexOf("\n") + 1;
    const second = whole.indexOf("\n", first) + 1;
    for (let place = first; place < second; place += 7) {
      const damaged = Buffer.from(whole);
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      await expect(opened(path)).rejects.toMatchObject({
        reason: "STORE_DAMAGED",
        message: expect.stringContaining(`at byte ${first} (line 2)`),
      });
      expect(readFileSync(path)).toEqual(damaged);
    }
  });

  it.each([
    ["another file", "STORE_DAMAGED", "hello\n", "does not begin as a directory's journal does"],
    ["a file without a line", "STORE_DAMAGED", "hello", "(byte 0, line 1)"],
    [
      "a newer journal",
      "INVALID_OPTION",
      lineFromRecord({ type: "header", format: 2, id: "x" }),
      "a journal of format 2 that a newer version wrote, expected format 1",
    ],
  ])("is refused when it is %s", async (_, reason, content, message) => {
    const path = newPath();
    writeFileSync(path, content);
    await expect(opened(path)).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
    expect(readFileSync(path, "utf8")).toBe(content);
  });

  it("is begun in an empty file", async () => {
    const path = newPath();
    writeFileSync(path, "");
    await written(path, "a");
    expect(await listedAt(path)).toEqual(["a=100"]);
  });
});

describe("where a journal is", () => {
  it.each([
    ["in a folder that is missing", "no/journal", "INVALID_OPTION", "no does not exist"],
    ["a folder", ".", "INVALID_OPTION", "expected a regular file or none"],
    ["too long for a lock", `${"x".repeat(100)}`, "INVALID_OPTION", "expected at most 98"],
  ])("is refused when it is %s", async (_, name, reason, message) => {
    await expect(opened(join(emptyFolder(), name))).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
  });

  it.each(["journal", "journal.new"])(
    "is refused when %s is a pipe, and nothing is touched",
    async (name) => {
      const folder = emptyFolder();
      execFileSync("mkfifo", [join(folder, name)]);
      await expect(opened(join(folder, "journal"))).rejects.toMatchObject({
        reason: "INVALID_OPTION",
        message: expect.stringContaining(`${name} is a device, a pipe,`),
      });
      expect(readdirSync(folder)).toEqual([name]);
      expect(statSync(join(folder, name)).isFIFO()).toBe(true);
    },
  );

  it("is refused when it is a link to nothing, which stays one", async () => {
    const link = join(emptyFolder(), "journal");
    symlinkSync(join(emptyFolder(), "gone"), link);
    await expect(opened(link)).rejects.toMatchObject({ reason: "INVALID_OPTION" });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it("may be a link, which stays one", async () => {
    const path = newPath();
    await written(path, "a");
    const link = join(emptyFolder(), "link");
    symlinkSync(path, link);
    await written(link, "b");
    expect(await listedAt(path)).toEqual(["a=100", "b=100"]);
  });

  it("is for nobody else's eyes", async () => {
    const path = newPath();
    await written(path, "a");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("the lock of a journal", () => {
  it("keeps a second directory out as long as the first one runs", async () => {
    const path = newPath();
    const { store, register } = await opened(path);
    await expect(opened(path)).rejects.toMatchObject({
      reason: "STORE_IN_USE",
      message: `the journal ${path} is open in another process`,
    });
    await register("a");
    await store.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
    expect(await listedAt(path)).toEqual(["a=100"]);
  });

  it("of a dead process is taken over", async () => {
    const path = newPath();
    const script = `require("net").createServer().listen(${JSON.stringify(`${path}.lock`)}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    cleanUps.push(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    await expect(opened(path)).rejects.toMatchObject({ reason: "STORE_IN_USE" });
    child.kill("SIGKILL");
    await untilGone(child.pid ?? 0);
    expect(existsSync(`${path}.lock`)).toBe(true);
    await opened(path);
  });

  it("is not put in the place of a file", async () => {
    const path = newPath();
    writeFileSync(`${path}.lock`, "mine");
    await expect(opened(path)).rejects.toMatchObject({ reason: "STORE_FAILED" });
    expect(readFileSync(`${path}.lock`, "utf8")).toBe("mine");
  });
});

describe("what a file store writes", () => {
  it("is shared by all who wait", async () => {
    const { files, weigh } = await opened(newPath());
    files.steps.length = 0;
    await Promise.all(Array.from({ length: 500 }, (_, index) => weigh(`i${index}`, index)));
    expect(files.steps.filter((step) => step === "datasync").length).toBeLessThanOrEqual(2);
  });

  it("is nothing for renewals, and for what holds already", async () => {
    const path = newPath();
    const { store, register, weigh } = await opened(path);
    const { id } = await register("a", { holder: HOLDER });
    await weigh("a", 3);
    const traffic = { group: "g", shares: new Map([["x", 1]]) };
    await store.setTraffic(traffic);
    const { size } = statSync(path);
    await store.keepAlive(id);
    expect(await register("a", { holder: HOLDER })).toMatchObject({ id });
    await weigh("a", 3);
    for (let i = 0; i < 3; i++) await store.setTraffic(traffic);
    expect(statSync(path).size).toBe(size);
  });

  it("is all there when close ends, and nothing is taken after it", async () => {
    const path = newPath();
    const { store, register } = await opened(path);
    const late = register("a");
    await store.close();
    await late;
    await expect(register("b")).rejects.toMatchObject({ reason: "DRAINING" });
    expect(await listedAt(path)).toEqual(["a=100"]);
  });

  it("says who was not renewed, so that nobody dead comes back", async () => {
    const path = newPath();
    const { clock, store, register } = await opened(path);
    await register("a");
    await register("b", { ttlMs: 60_000 });
    clock.advance(10_000);
    await store.close();
    expect(await listedAt(path)).toEqual(["b=100"]);
  });

  it("lets every lease hold for its whole time when it is read again", async () => {
    const path = newPath();
    await written(path, "a");
    const { clock, listed } = await opened(path);
    clock.advance(9_999);
    expect(listed()).toEqual(["a=100"]);
    clock.advance(1);
    expect(listed()).toEqual([]);
  });

  it("settles an empty journal's lists later, and those of another one at once", async () => {
    const path = newPath();
    const { clock, store, register } = await opened(path);
    await register("a");
    expect(store.list("mnist").settled).toBe(false);
    clock.advance(15_000);
    expect(store.list("mnist").settled).toBe(true);
    await store.close();
    expect((await opened(path)).store.list("mnist").settled).toBe(true);
  });
});

describe("a disk that fails", () => {
  it.each([
    ["write", "ENOSPC"],
    ["datasync", "EIO"],
  ] as const)("at a %s (%s) refuses writes, and nothing of them shows", async (step, errno) => {
    const path = newPath();
    const { files, lines, store, register, weigh, listed } = await opened(path);
    const { id } = await register("a");
    const { size } = statSync(path);
    const told: string[] = [];
    store.onChange((service) => told.push(service));
    let failures = 0;
    files.failing = (now) => (now === step && failures++ < 3 ? errno : undefined);
    const refused = { reason: "STORE_FAILED", message: expect.stringContaining(errno) };
    await expect(register("b")).rejects.toMatchObject(refused);
    files.failing = (now) => (now === step ? errno : undefined);
    await expect(weigh("a", 1)).rejects.toMatchObject(refused);
    const shares = new Map([["x", 1]]);
    await expect(store.setTraffic({ group: "g", shares })).rejects.toMatchObject(refused);
    expect([listed(), told]).toEqual([["a=100"], []]);
    await store.keepAlive(id);
    files.failing = () => undefined;
    await register("c");
    expect(listed()).toEqual(["a=100", "c=100"]);
    expect(statSync(path).size).toBeGreaterThan(size);
    await store.close();
    expect(await listedAt(path)).toEqual(["a=100", "c=100"]);
    expect(lines.filter(({ message }) => message.includes("the journal ca"))).toMatchObject([
      { level: "error" },
      { level: "info" },
    ]);
  });

  it("lets go who goes, and notes it when it can", async () => {
    const path = newPath();
    const { files, store, register, listed } = await opened(path);
    const { id } = await register("a");
    await register("b");
    files.failing = () => "ENOSPC";
    await expect(store.deregister(id)).rejects.toMatchObject({ reason: "STORE_FAILED" });
    expect(listed()).toEqual(["b=100"]);
    files.failing = () => undefined;
    await register("c");
    await store.close();
    expect(await listedAt(path)).toEqual(["b=100", "c=100"]);
  });

  it("for what is long only is told once, until it takes as much again or has not failed for 5 s", async () => {
    const { clock, files, lines, store, weigh } = await opened(newPath());
    const shares = new Map(Array.from({ length: 100 }, (_, index) => [`m${index}`, 1] as const));
    const long = (group: string) => store.setTraffic({ group, shares });
    const told = (): number =>
      lines.filter(({ message }) => message.includes("the journal ca")).length;
    files.failing = (step) => (step === "write" ? "ENOSPC" : undefined);
    await expect(long("g")).rejects.toMatchObject({ reason: "STORE_FAILED" });
    for (let weight = 1; weight < 4; weight++) {
      files.failing = () => undefined;
      await weigh("a", weight);
      files.failing = (step) => (step === "write" ? "ENOSPC" : undefined);
      await expect(long("g")).rejects.toMatchObject({ reason: "STORE_FAILED" });
    }
    expect(told()).toBe(1);
    files.failing = () => undefined;
    clock.advance(5_000);
    await weigh("a", 9);
    expect(told()).toBe(2);
  });

  it("has what was refused cut off before anything else is written", async () => {
    const path = newPath();
    const { files, store, register } = await opened(path);
    await register("a");
    files.failing = () => "EIO";
    await expect(register("b")).rejects.toMatchObject({ reason: "STORE_FAILED" });
    files.failing = (step) => (step === "truncate" ? "EIO" : undefined);
    await expect(register("c")).rejects.toMatchObject({ reason: "STORE_FAILED" });
    files.failing = () => undefined;
    await register("d");
    await store.close();
    const { listed, lines } = await opened(path);
    expect(listed()).toEqual(["a=100", "d=100"]);
    expect(lines.filter(({ level }) => level === "warn")).toEqual([]);
  });

  it("does not keep the dead on the list, nor bring them back", async () => {
    const path = newPath();
    const { clock, files, store, register, listed } = await opened(path);
    await register("a");
    await register("b", { ttlMs: 60_000 });
    files.failing = () => "EIO";
    clock.advance(10_000);
    expect(listed()).toEqual(["b=100"]);
    await clock.settle();
    files.failing = () => undefined;
    await register("c");
    await store.close();
    expect(await listedAt(path)).toEqual(["b=100", "c=100"]);
  });

  it("that fails while compacting loses nothing, whenever the process ends", async () => {
    const record = (name: string): JournalRecord => ({
      type: "weight",
      service: "mnist",
      instance: name,
      weight: 1,
    });
    const lineOf = (name: string): string => lineFromRecord(record(name));
    const { logger } = recordingLogger();
    let steps = Number.POSITIVE_INFINITY;
    for (let end = 0; end < steps; end++) {
      const path = newPath();
      const files = createFailingFiles();
      const onRecord = (): void => {};
      const journal = await openJournal({ path, files, logger, onRecord });
      await journal.append(lineOf("old") + lineOf("kept"));
      files.steps.length = 0;
      // The process ends with this step: nothing after it happens.
      files.failing = () => (files.steps.length > end ? "EIO" : undefined);
      const replaced = await journal.replace([lineOf("kept")]).then(
        () => true,
        () => false,
      );
      if (replaced) steps = files.steps.length;
      await journal.close();
      const read: JournalRecord[] = [];
      const again = createFailingFiles();
      const next = await openJournal({
        path,
        files: again,
        logger,
        onRecord: (one) => read.push(one),
      });
      expect([[record("old"), record("kept")], [record("kept")]]).toContainEqual(read);
      await next.replace([lineOf("kept"), lineOf("more")]);
      await next.close();
    }
    expect(steps).toBeGreaterThan(4);
  });
});

describe("a disk that hangs", () => {
  /** A store of two, and a disk that keeps what it is given until it is let go. */
  async function hanging(path: string, step: "write" | "datasync") {
    const fixture = await opened(path);
    const lease = await fixture.register("a");
    await fixture.register("b", { ttlMs: 4_000 });
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    fixture.files.holding = (now) => (now === step ? held : undefined);
    cleanUps.push(letGo);
    return { ...fixture, lease, letGo };
  }
  const refused = { reason: "STORE_FAILED", message: expect.stringContaining("for 5 s") };

  it.each(["write", "datasync"] as const)(
    "at a %s refuses writes after 5 s, and nobody dead stays",
    async (step) => {
      const path = newPath();
      const { clock, files, lines, lease, letGo, store, register, weigh, listed } = await hanging(
        path,
        step,
      );
      const writes = [register("c"), weigh("a", 3)];
      await clock.settle();
      writes.push(register("d"));
      const ended = Promise.allSettled(writes);
      await clock.settle(4_999);
      expect(listed()).toEqual(["a=100", "b=100"]);
      await clock.settle(1);
      for (const result of await ended) expect(result).toMatchObject({ reason: refused });
      expect(listed()).toEqual(["a=100"]);
      await expect(register("e")).rejects.toMatchObject(refused);
      await expect(store.deregister(lease.id)).rejects.toMatchObject(refused);
      expect(listed()).toEqual([]);
      files.holding = () => undefined;
      letGo();
      await store.close();
      await expect.poll(() => existsSync(`${path}.lock`)).toBe(false);
      expect(await listedAt(path)).toEqual([]);
      expect(lines.filter(({ message }) => message.includes("the journal ca"))).toMatchObject([
        { level: "error" },
      ]);
    },
  );

  it("and comes back has what it took too late cut off, and goes on", async () => {
    const path = newPath();
    const { clock, files, lines, letGo, store, register, weigh, listed } = await hanging(
      path,
      "datasync",
    );
    const late = expect(register("c")).rejects.toMatchObject(refused);
    await clock.settle(5_000);
    await late;
    files.holding = () => undefined;
    letGo();
    await expect
      .poll(async () =>
        weigh("a", 7).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await register("d");
    expect(listed()).toEqual(["a=7", "d=100"]);
    await store.close();
    expect(await listedAt(path)).toEqual(["a=7", "d=100"]);
    expect(lines.filter(({ message }) => message.includes("the journal ca"))).toMatchObject([
      { level: "error" },
      { level: "info" },
    ]);
  });

  it("does not keep a directory from stopping, and keeps the journal locked until it is back", async () => {
    const path = newPath();
    const { clock, files, letGo, store, register } = await hanging(path, "datasync");
    const late = expect(register("c")).rejects.toMatchObject(refused);
    await clock.settle();
    const closed = store.close();
    await clock.settle(5_000);
    await Promise.all([closed, late]);
    await expect(opened(path)).rejects.toMatchObject({ reason: "STORE_IN_USE" });
    files.holding = () => undefined;
    letGo();
    await expect.poll(() => existsSync(`${path}.lock`)).toBe(false);
    expect(await listedAt(path)).toEqual(["a=100", "b=100"]);
  });
});

describe("a journal that is not as it was left", () => {
  it.each<[string, string, (path: string) => void]>([
    ["has grown", "STORE_IN_USE", (path) => appendFileSync(path, "another's")],
    ["is cut", "STORE_DAMAGED", (path) => truncateSync(path, statSync(path).size - 5)],
    [
      "is another file",
      "STORE_IN_USE",
      (path) => {
        copyFileSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
    ],
    ["is gone", "STORE_DAMAGED", (path) => renameSync(path, `${path}.away`)],
  ])("as it %s, is not written, and the log says so once", async (_, reason, change) => {
    const path = newPath();
    const { lines, register, weigh, listed } = await opened(path);
    await register("a");
    change(path);
    const now = existsSync(path) ? readFileSync(path) : undefined;
    await expect(register("b")).rejects.toMatchObject({ reason });
    await expect(weigh("a", 3)).rejects.toMatchObject({ reason });
    expect(existsSync(path) ? readFileSync(path) : undefined).toEqual(now);
    expect(listed()).toEqual(["a=100"]);
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([
      { message: "writes are refused: the journal cannot be written" },
    ]);
  });

  it("as a second directory has it, is written by one of the two", async () => {
    const path = newPath();
    const first = await opened(path);
    await first.register("a");
    unlinkSync(`${path}.lock`);
    const second = await opened(path);
    await second.register("b");
    await expect(first.register("c")).rejects.toMatchObject({ reason: "STORE_IN_USE" });
    await second.register("d");
    await second.store.close();
    expect(await listedAt(path)).toEqual(["a=100", "b=100", "d=100"]);
  });
});

describe("compacting", () => {
  it("happens under load, and keeps what holds", async () => {
    const path = newPath();
    const { store, register, weigh, lines } = await opened(path);
    const { id } = await register("a", { holder: HOLDER, ttlMs: 300_000 });
    for (let round = 1; round <= 40; round++) {
      const writes = Array.from({ length: 500 }, (_, index) => weigh(`i${index}`, round));
      await Promise.all([...writes, store.keepAlive(id)]);
    }
    const compacted = lines.filter(({ message }) => message === "journal compacted");
    expect(compacted.length).toBeGreaterThan(0);
    expect(statSync(path).size).toBeLessThan(1_100_000);
    await store.close();
    const again = await opened(path);
    expect(again.listed()).toEqual(["a=100"]);
    expect(await again.store.keepAlive(id)).toMatchObject({ id });
    const instance = instanceOf({ name: "i499", host: "10.0.0.1", port: 5 });
    const late = { service: "mnist", ttlMs: 10_000, holder: "", instance };
    expect(await again.store.register(late)).toMatchObject({ weight: 40 });
  });

  it("that a crash broke off leaves nothing behind", async () => {
    const path = newPath();
    await written(path, "a");
    writeFileSync(`${path}.new`, "half of a jour");
    const { listed } = await opened(path);
    expect(listed()).toEqual(["a=100"]);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it("that fails is told once, and everything goes on", async () => {
    const path = newPath();
    const { files, store, weigh, lines } = await opened(path);
    files.failing = (step) => (step === "rename" ? "EACCES" : undefined);
    for (let round = 1; round <= 30; round++) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => weigh(`i${index}`, round)));
    }
    expect(lines.filter(({ level }) => level === "warn").length).toBe(1);
    expect(existsSync(`${path}.new`)).toBe(false);
    await store.close();
    await opened(path);
  });
});

describe("a directory over a journal", () => {
  it("knows after a restart what it knew, and says what is wrong before it listens", async () => {
    const path = newPath();
    mkdirSync(dirname(path), { recursive: true });
    const options = {
      endpoint: "127.0.0.1:0",
      store: `file:${path}`,
      logger: recordingLogger().logger,
    };
    const first = await startDirectory(options);
    await expect(startDirectory(options)).rejects.toMatchObject({ reason: "STORE_IN_USE" });
    const before = createDirectoryClient(first.address.port);
    const { leaseId } = await before.register("a");
    await before.client.setWeight({ service: "mnist", instance: "a", weight: 7 });
    before.close();
    await first.close();

    const second = await startDirectory(options);
    const after = createDirectoryClient(second.address.port);
    expect(await after.client.keepAlive({ leaseId })).toMatchObject({ weight: 7 });
    expect(await after.client.listUpstreams({ service: "mnist" })).toMatchObject({
      instances: [{ name: "a", weight: 7, registeredWeight: 100 }],
    });
    after.close();
    await second.close();
  });
});
