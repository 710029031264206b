import { type FSWatcher, readdirSync, watch } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { CancelTimer, Clock } from "../../core/ports.js";

/** How long nothing may change before a change counts: editors and generators write in several steps. */
const QUIET_MS = 100;

/** What a watch is made of. */
export interface FileWatchPorts {
  readonly clock: Clock;
  /** Called with the files that have changed since the last time, once they rest. */
  changed(files: readonly string[]): void;
  /** Looks at a folder; `fs.watch` unless a test says otherwise. */
  readonly watchFolder?: (folder: string, changed: (name: string) => void) => { close(): void };
}

/**
 * Watches files by their folders, so that one that an editor replaces, or that is not there yet, is seen as well.
 */
export class FileWatch {
  readonly #ports: FileWatchPorts;
  readonly #folders = new Map<string, { close(): void }>();
  #files: ReadonlySet<string> = new Set();
  #trees: readonly string[] = [];
  readonly #pending = new Set<string>();
  #cancelTimer: CancelTimer = () => {};

  constructor(ports: FileWatchPorts) {
    this.#ports = ports;
  }

  /**
   * Watches these files from now on, and no others.
   *
   * @param files - absolute paths
   * @param trees - folders in which every file counts
   */
  follow(files: Iterable<string>, trees: readonly string[]): void {
    this.#files = new Set(files);
    this.#trees = trees;
    const wanted = new Set([...this.#files].map((file) => dirname(file)));
    for (const tree of trees) for (const folder of foldersIn(tree)) wanted.add(folder);
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) this.#look(folder);
  }

  /** Ends it. */
  close(): void {
    this.#cancelTimer();
    this.follow([], []);
  }

  #look(folder: string): void {
    if (this.#folders.has(folder)) return;
    const { watchFolder = watchByNode } = this.#ports;
    try {
      const watcher = watchFolder(folder, (name) => this.#seen(join(folder, name)));
      this.#folders.set(folder, watcher);
    } catch {
      // A folder that is not there, or not to be read: what it holds is looked for again with the next change.
    }
  }

  #seen(path: string): void {
    const counts =
      this.#files.has(path) || this.#trees.some((tree) => path.startsWith(`${tree}${sep}`));
    if (!counts) return;
    this.#pending.add(path);
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.after(QUIET_MS, () => {
      const files = [...this.#pending];
      this.#pending.clear();
      this.#ports.changed(files);
    });
  }
}

/** A folder, and all below it; none when it is not there. */
function foldersIn(tree: string): readonly string[] {
  try {
    const below = readdirSync(tree, { recursive: true, withFileTypes: true });
    return [
      tree,
      ...below.filter((one) => one.isDirectory()).map((one) => join(one.parentPath, one.name)),
    ];
  } catch {
    return [];
  }
}

function watchByNode(folder: string, changed: (name: string) => void): FSWatcher {
  const watcher = watch(folder, (_event, name) => {
    if (name !== null) changed(name);
  });
  // A folder that is removed ends its watch; nothing in it can change any more.
  watcher.on("error", () => watcher.close());
  return watcher;
}
