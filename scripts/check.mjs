// Everything that must hold before a change lands, in order of speed; stops for nothing, so that one run tells all.
// `--after-tests=STATUS`: `npm test` has just ended with that status; its results are taken instead of running it again.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";

const RESULTS = ".inferwire/test-results.json";
const AFTER_TESTS = /^--after-tests=(\d+)$/;
const testStatus = process.argv.map((arg) => AFTER_TESTS.exec(arg)?.[1]).find(Boolean);
const bin = (name) => `node_modules/.bin/${name}`;

const checks = [
  ["format and lint", bin("biome"), "ci", "."],
  ["types", bin("tsc"), "--noEmit"],
  ["types of the page", bin("tsc"), "--noEmit", "-p", "examples/sentiment/page"],
  ["arrows", bin("depcruise"), "src", "--config", ".dependency-cruiser.cjs"],
  ["dead code", bin("knip"), "--no-progress"],
  ["generated code", "node", "scripts/generate.mjs", "--check"],
];
// By the built kit: after the tests, which build it.
const exampleChecks = ["chat", "sentiment"].map((name) => [
  `generated code of examples/${name}`,
  ...["sh", "-c", `cd examples/${name} && node ../../dist/src/cli/main.js generate --check`],
]);
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
if (testStatus === undefined) {
  rmSync(RESULTS, { force: true });
  run(["tests", "npm", "test"]);
} else if (testStatus !== "0") {
  failed.push("tests");
}
for (const check of [...exampleChecks, ...packChecks]) run(check);

const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false };
const tests = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : none;
if (!tests.success && !failed.includes("tests")) failed.push("tests");

const total = checks.length + exampleChecks.length + packChecks.length;
const failedChecks = failed.filter((name) => name !== "tests").length;
if (failed.length > 0) console.log(`\nfailed: ${failed.join(", ")}`);
const passed = tests.numPassedTests + total - failedChecks;
// A test run can fail without a failed test: an unhandled rejection, or no results at all.
const failedTests = Math.max(tests.numFailedTests, failed.includes("tests") ? 1 : 0);
const skipped = tests.numPendingTests > 0 ? `, ${tests.numPendingTests} skipped` : "";
console.log(`\n${passed} passed, ${failedTests + failedChecks} failed${skipped}`);
process.exitCode = failed.length === 0 ? 0 : 1;
