import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = paths.find((path) => existsSync(path));

/** Whether tests in a browser are left out; never in CI, where a browser that is missing fails them. */
export const withoutBrowser: boolean =
  executablePath === undefined && process.env["CI"] === undefined;

/** Behind the name of what runs in a browser: why it does not, if so. */
export const browserNote: string = withoutBrowser ? ` (skipped: none of ${paths.join(", ")})` : "";

/** Starts a headless Chromium. */
export async function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(`none of ${paths.join(", ")} is there`);
  // Root may not have Chromium's sandbox, and a container's /dev/shm is small.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  return chromium.launch({ executablePath, args });
}
