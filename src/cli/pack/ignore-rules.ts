import { servingError } from "../../core/serving-error.js";

/** What is never packed, wherever it lies: what is installed, what tools leave behind, and the list of the user's own. */
export const alwaysIgnored: readonly string[] = [
  "node_modules",
  ".git",
  ".hg",
  ".svn",
  ".DS_Store",
  ".packignore",
  "coverage",
  ".nyc_output",
  ".vitest",
  ".inferwire",
  "*.tsbuildinfo",
  "*.log",
];

/** Files that hold secrets, in whatever case: packed only when that is asked for. */
export const secretFiles: readonly string[] = [
  ".env*",
  "*.env",
  "*.pem",
  "*.key",
  "*.p12",
  "*.pfx",
  "*.p8",
  "*.jks",
  "*.keystore",
  "*.ppk",
  "*.kdbx",
  "id_rsa*",
  "id_dsa*",
  "id_ecdsa*",
  "id_ed25519*",
  ".npmrc",
  ".yarnrc*",
  ".netrc",
  "_netrc",
  ".pypirc",
  ".pgpass",
  ".htpasswd",
  ".git-credentials",
  ".dockercfg",
  "credentials",
  "credentials.*",
  "service-account*.json",
  "service_account*.json",
  "token",
  "*.token",
];

/** Folders that hold secrets, in whatever case: packed only when that is asked for. */
export const secretFolders: readonly string[] = [
  ".env*",
  ".aws",
  ".azure",
  ".config",
  ".docker",
  ".gnupg",
  ".kube",
  ".ssh",
];

/** Tells whether a path, relative to the packed folder and with slashes, is meant. */
export type PathTest = (path: string, isFolder: boolean) => boolean;

/** Makes one test of several patterns. */
export function pathTest(
  patterns: readonly string[],
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): PathTest {
  const tests = patterns.map((pattern) => patternTest(pattern, ignoreCase ? "i" : ""));
  return (path, isFolder) => tests.some((test) => test(path, isFolder));
}

const isSecretFile = pathTest(secretFiles, { ignoreCase: true });
const isSecretFolder = pathTest(secretFolders, { ignoreCase: true });

/** Tells whether something is likely to hold secrets, by its name. */
export const isSecretName: PathTest = (path, isFolder) =>
  isFolder ? isSecretFolder(path, true) : isSecretFile(path, false);

/**
 * Reads `.packignore`: a pattern a line, `#` for comments. A pattern without a slash means the name anywhere, one with a
 * slash the path from the packed folder; a slash at its end means folders only. `*` is anything but a slash, `**` anything.
 *
 * @throws ConfigError `INVALID_OPTION` for a line that begins with `!`.
 */
export function packIgnorePatterns(text: string): readonly string[] {
  return text.split("\n").flatMap((line, index) => {
    const pattern = line.trim();
    if (pattern.startsWith("!")) {
      throw servingError(
        "INVALID_OPTION",
        `.packignore:${index + 1}: ${pattern} takes something back, which only .gitignore knows`,
      );
    }
    return pattern === "" || pattern.startsWith("#") ? [] : [pattern];
  });
}

function patternTest(pattern: string, flags: string): PathTest {
  const foldersOnly = pattern.endsWith("/");
  const bare = pattern.replace(/\/$/, "");
  const rooted = bare.includes("/");
  const form = expressionOf(bare.replace(/^\//, ""), flags);
  return (path, isFolder) => {
    if (foldersOnly && !isFolder) return false;
    return form.test(rooted ? path : (path.split("/").at(-1) ?? ""));
  };
}

function expressionOf(pattern: string, flags: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`, flags);
}
