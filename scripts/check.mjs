// Everything that must hold before a change lands, in order of speed; stops for nothing, so that one run tells all.
// `--after-tests`: `npm test` has just been run; its results are taken instead of running it again.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";

const RESULTS = ".inferwire/test-results.json";
const afterTests = process.argv.includes("--after-tests");
const bin = (name) => `node_modules/.bin/${name}`;

const checks = [
  ["format and lint", bin("biome"), "ci", "."],
  ["types", bin("tsc"), "--noEmit"],
  ["arrows", bin("depcruise"), "src", "--config", ".dependency-cruiser.cjs"],
  ["dead code", bin("knip"), "--no-progress"],
  ["generated code", "node", "scripts/generate.mjs", "--check"],
];
const packChecks = [
  ["package", bin("publint"), "--strict"],
  ["package types", bin("attw"), "--pack", ".", "--profile", "esm-only", "--no-emoji"],
];

const failed = [];

function run([name, command, ...args]) {
  const started = performance.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? "ok" : "FAILED"}, ${seconds} s`);
  if (status !== 0) failed.push(name);
}

for (const check of checks) run(check);
if (!afterTests) {
  rmSync(RESULTS, { force: true });
  run(["tests", "npm", "test"]);
}
for (const check of packChecks) run(check);

const tests = existsSync(RESULTS)
  ? JSON.parse(readFileSync(RESULTS, "utf8"))
  : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false };
if (!tests.success && !failed.includes("tests")) failed.push("tests");

const total = checks.length + packChecks.length;
const failedChecks = failed.filter((name) => name !== "tests").length;
if (failed.length > 0) console.log(`\nfailed: ${failed.join(", ")}`);
const passed = tests.numPassedTests + total - failedChecks;
// A run that ended without results has failed, even if no single test did.
const broken = Math.max(tests.numFailedTests, tests.success ? 0 : 1) + failedChecks;
const skipped = tests.numPendingTests > 0 ? `, ${tests.numPendingTests} skipped` : "";
console.log(`\n${passed} passed, ${broken} failed${skipped}`);
process.exitCode = broken === 0 ? 0 : 1;
