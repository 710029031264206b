import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { seen } from "../../core/options.js";
import { invalidTarget } from "./invalid-target.js";
import type { FileTarget } from "./target-kind.js";

const FORM = "file:///PATH.json, such as file:///etc/inferwire/mnist.json";

/** What a URL would leave out or change without a word. */
const UNCLEAR = /[\\?#\p{Cc}]/u;

/** Reads what follows `file://`. */
export function parseFileTarget(text: string, rest: string): FileTarget {
  if (!rest.startsWith("/")) {
    throw invalidTarget(
      `target is ${seen(text)}, which is no absolute path`,
      `${FORM}: three slashes, and the path from the root of the file system`,
    );
  }
  if (UNCLEAR.test(rest)) {
    throw invalidTarget(
      `target is ${seen(text)}, which has a character that must be percent-encoded`,
      FORM,
    );
  }
  const path = pathOf(rest);
  if (path === undefined) {
    throw invalidTarget(`target is ${seen(text)}, which is no file's address`, FORM);
  }
  if (path.endsWith("/")) {
    throw invalidTarget(`target is ${seen(text)}, which names a folder`, FORM);
  }
  return { kind: "file", text, service: basename(path).replace(/\.json$/, ""), path };
}

/** Undefined for wrong percent-encoding, encoded slashes and what no path may hold. */
function pathOf(rest: string): string | undefined {
  try {
    const path = fileURLToPath(`file://${rest}`);
    return path.includes("\0") ? undefined : path;
  } catch {
    return undefined;
  }
}
