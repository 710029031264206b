import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createClient } from "inferwire/client";
import { describe, expect, it } from "vitest";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import { EchoDefinition, startEcho } from "../support/client-echo.js";
import { emptyFolder } from "../support/folders.js";
import { createHurriedClock } from "../support/hurried-clock.js";
import { easBody } from "../support/source-http-server.js";
import { startSource } from "../support/started-source.js";
import { until } from "../support/until.js";

const body = (...ports: readonly number[]): string =>
  easBody(ports.map((port) => ({ ip: "10.0.0.1", port })));
const listed = (...ports: readonly number[]): readonly string[] =>
  ports.map((port) => `10.0.0.1:${port}=100`);

function startFile(path: string, options: Partial<SourceOptions> = {}) {
  const started = startSource(pathToFileURL(path).href, options);
  const lists = (...ports: readonly number[]): Promise<void> =>
    until(() => {
      const { last } = started.recorder;
      return (
        last?.stale === false && String(started.recorder.listed()) === String(listed(...ports))
      );
    }, 3_000);
  return { ...started, lists };
}

describe("a file target", () => {
  it("is one for clients", async () => {
    await using echo = await startEcho({ name: "echo" });
    const path = join(emptyFolder(), "echo.json");
    writeFileSync(path, easBody([{ ip: "127.0.0.1", port: echo.port }]));
    await using client = createClient(EchoDefinition, { target: pathToFileURL(path).href });
    expect(await client.unary({ text: "a" })).toEqual({ text: "echo: a" });
  });

  it("follows atomic renames within moments", async () => {
    const path = join(emptyFolder(), "my list.json");
    writeFileSync(path, body(1));
    const { recorder, lists } = startFile(path);
    await lists(1);
    for (let port = 2; port < 6; port++) {
      writeFileSync(`${path}.new`, body(port));
      renameSync(`${path}.new`, path);
      await lists(port);
    }
    expect(recorder.errors).toEqual([]);
    expect(recorder.snapshots.length).toBe(5);
  });

  it("follows links that are swapped, as Kubernetes does with mounted ConfigMaps", async () => {
    const folder = emptyFolder();
    const swap = (version: number): void => {
      mkdirSync(join(folder, `..v${version}`));
      writeFileSync(join(folder, `..v${version}`, "mnist.json"), body(version));
      symlinkSync(`..v${version}`, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
      rmSync(join(folder, `..v${version - 1}`), { recursive: true, force: true });
    };
    swap(1);
    symlinkSync("..data/mnist.json", join(folder, "mnist.json"));
    const { recorder, lists } = startFile(join(folder, "mnist.json"));
    await lists(1);
    swap(2);
    await lists(2);
    swap(3);
    await lists(3);
    expect(recorder.errors).toEqual([]);
  });

  it("keeps its list while the file is gone or half written, and takes the next whole one", async () => {
    const path = join(emptyFolder(), "mnist.json");
    writeFileSync(path, body(1));
    const { recorder, lists } = startFile(path);
    await lists(1);
    rmSync(path);
    await until(() => recorder.last?.stale === true);
    expect(recorder.errors.at(-1)?.message).toContain("ENOENT");
    writeFileSync(path, body(2).slice(0, 30));
    await until(() => recorder.errors.length === 2);
    expect(recorder.errors.at(-1)).toMatchObject({ reason: "UPSTREAM_MALFORMED" });
    expect(recorder.listed()).toEqual(listed(1));
    appendFileSync(path, body(2).slice(30));
    await lists(2);
    truncateSync(path, 0);
    await until(() => recorder.last?.stale === true);
    expect(recorder.listed()).toEqual(listed(2));
    writeFileSync(path, easBody([]));
    await lists();
  });

  it("waits for a folder that is not there yet", async () => {
    const folder = join(emptyFolder(), "later");
    const { recorder } = startFile(join(folder, "mnist.json"), { clock: createHurriedClock() });
    await until(() => recorder.errors.length === 1);
    mkdirSync(folder);
    writeFileSync(join(folder, "mnist.json"), body(1));
    await until(() => recorder.listed().length === 1);
    expect(recorder.errors.length).toBe(1);
  });

  it("refuses what is no regular file, without waiting for it", async () => {
    const folder = emptyFolder();
    const pipe = join(folder, "pipe.json");
    execFileSync("sh", ["-c", 'mkfifo "$0"', pipe]);
    const targets = [
      [pipe, "it is no regular file"],
      ["/dev/zero", "it is no regular file"],
      [folder, "it is a folder"],
    ] as const;
    for (const [path, part] of targets) {
      const { recorder } = startSource(`file://${path}`);
      await until(() => recorder.errors.length === 1, 2_000);
      expect(recorder.errors[0]?.message).toContain(part);
    }
  });

  it("refuses a file that is too large", async () => {
    const path = join(emptyFolder(), "mnist.json");
    writeFileSync(path, `${body(1)}${" ".repeat(10_000_000)}`);
    const { recorder } = startSource(pathToFileURL(path).href);
    await until(() => recorder.errors.length === 1);
    expect(recorder.errors[0]?.cause).toMatchObject({ reason: "MESSAGE_TOO_LARGE" });
    expect(recorder.errors[0]?.message).toContain("longer than 4194304 bytes");
  });
});
