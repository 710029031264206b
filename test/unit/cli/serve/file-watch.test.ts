import { expect, it } from "vitest";
import { FileWatch } from "../../../../src/cli/serve/file-watch.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const QUIET_MS = 100;

function watched(unreadable: readonly string[] = []) {
  const clock = createFakeClock();
  const folders = new Map<string, (name: string) => void>();
  const changes: (readonly string[])[] = [];
  const watch = new FileWatch({
    clock,
    changed: (files) => changes.push(files),
    watchFolder(folder, changed) {
      if (unreadable.includes(folder)) throw new Error("no such folder");
      folders.set(folder, changed);
      return { close: () => void folders.delete(folder) };
    },
  });
  return { clock, folders, changes, watch };
}

it("tells of files that are followed once they rest, and of no others", () => {
  const { clock, folders, changes, watch } = watched();
  watch.follow(["/a/one.js", "/a/two.js", "/b/three.js"], []);
  folders.get("/a")?.("one.js");
  clock.advance(QUIET_MS - 1);
  folders.get("/a")?.("two.js");
  folders.get("/a")?.("one.js");
  folders.get("/b")?.("other.js");
  clock.advance(QUIET_MS - 1);
  expect(changes).toEqual([]);
  clock.advance(1);
  expect(changes).toEqual([["/a/one.js", "/a/two.js"]]);
  folders.get("/b")?.("three.js");
  clock.advance(QUIET_MS);
  expect(changes.slice(1)).toEqual([["/b/three.js"]]);
});

it("looks at the folders of what it follows only", () => {
  const { folders, watch } = watched();
  watch.follow(["/a/one.js", "/b/two.js"], []);
  expect([...folders.keys()]).toEqual(["/a", "/b"]);
  watch.follow(["/b/two.js", "/c/three.js"], []);
  expect([...folders.keys()]).toEqual(["/b", "/c"]);
  watch.close();
  expect([...folders.keys()]).toEqual([]);
});

it("tries a folder that was not there again", () => {
  const missing = ["/a"];
  const { folders, watch } = watched(missing);
  watch.follow(["/a/one.js"], []);
  expect(folders.size).toBe(0);
  missing.pop();
  watch.follow(["/a/one.js"], []);
  expect([...folders.keys()]).toEqual(["/a"]);
});

it("counts every file below a tree", () => {
  const { clock, folders, changes, watch } = watched();
  watch.follow(["/a/one.js"], ["/a/gen"]);
  folders.get("/a")?.("gen/new.ts");
  clock.advance(QUIET_MS);
  expect(changes).toEqual([["/a/gen/new.ts"]]);
});

it("tells nothing when it was closed before the files rested", () => {
  const { clock, folders, changes, watch } = watched();
  watch.follow(["/a/one.js"], []);
  folders.get("/a")?.("one.js");
  watch.close();
  clock.advance(QUIET_MS);
  expect(changes).toEqual([]);
});
