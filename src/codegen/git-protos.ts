import { execFile } from "node:child_process";
import { basename, join } from "node:path";
import { servingError } from "../core/serving-error.js";

/** What git is asked with. */
export interface GitProtosOptions {
  /** The user's folder; the root of its repository may be above. */
  readonly folder: string;
  /** A commit, branch or tag. */
  readonly ref: string;
  /** A folder for git's own list of files, and for the files. */
  readonly scratch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const isWanted = (path: string): boolean =>
  path.endsWith(".proto") || ["buf.yaml", "buf.work.yaml", "buf.lock"].includes(basename(path));

/**
 * Takes the protos of a folder, with buf's configuration, as they were at a ref of git. Neither the user's files nor git's index
 * are touched.
 *
 * @returns the folder that they are in; undefined when there were none
 * @throws ConfigError `INVALID_OPTION` when the folder is in no repository, or the ref is unknown.
 */
export async function protosAt(options: GitProtosOptions): Promise<string | undefined> {
  const { folder, ref, scratch } = options;
  const env = { ...options.env, GIT_INDEX_FILE: join(scratch, "index") };
  const git = (args: readonly string[], at: string, input = ""): Promise<string | undefined> =>
    runGit(args, { ...options, folder: at, env }, input);
  const [prefix, top] = await Promise.all(
    ["--show-prefix", "--show-toplevel"].map((what) => git(["rev-parse", what], folder)),
  );
  if (prefix === undefined || top === undefined) {
    throw servingError("INVALID_OPTION", `--against ${ref}: ${folder} is in no git repository`);
  }
  const commit = await git(
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`],
    folder,
  );
  if (commit === undefined) {
    throw servingError(
      "INVALID_OPTION",
      `--against ${ref}: git knows no such commit, branch or tag`,
    );
  }
  // From the top, for git takes names for relative to where it runs.
  const root = top.trimEnd();
  const tree = `${commit.trim()}:${prefix.trimEnd().replace(/\/$/, "")}`;
  if ((await git(["read-tree", tree], root)) === undefined) return undefined;
  const all = (await git(["ls-files", "-z"], root)) ?? "";
  const wanted = all.split("\0").filter(isWanted);
  if (!wanted.some((path) => path.endsWith(".proto"))) return undefined;
  const old = join(scratch, "protos");
  await git(["checkout-index", "-z", "--stdin", `--prefix=${old}/`], root, wanted.join("\0"));
  return old;
}

/** What git has said; undefined when it ended with an error. */
function runGit(
  args: readonly string[],
  { folder, env, signal }: GitProtosOptions,
  input: string,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env, signal, maxBuffer: 2 ** 28 };
    const child = execFile("git", [...args], options, (error, stdout) => {
      if (error?.code === "ENOENT") {
        reject(servingError("INVALID_OPTION", "--against needs git, which is not installed"));
      } else if (signal.aborted) {
        reject(servingError("CANCELLED", "stopped before git had ended", { cause: error }));
      } else {
        resolve(error === null ? stdout : undefined);
      }
    });
    // Git may end without having read it.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
