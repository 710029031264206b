// npm leaves optional packages for other platforms out of package-lock.json when their metadata cannot be had, and then
// `npm ci` refuses the file everywhere. Adds an entry for each that is missing; run after every `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const FILE = "package-lock.json";
const lock = JSON.parse(readFileSync(FILE, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "wasm32", "x64"];
const part = (name, known) =>
  known.find((word) => name.split("/").pop().split(/[-.]/).includes(word));

let added = 0;
for (const [owner, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const places = [`${owner}/node_modules/${name}`, `node_modules/${name}`];
    if (owner === "" || places.some((place) => lock.packages[place] !== undefined)) continue;
    const os = part(name, systems);
    const cpu = part(name, processors) ?? (/armv\d/.test(name) ? "arm" : undefined);
    if (os === undefined) {
      console.error(`${name}: no platform package, and not in the lockfile: run npm install first`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      ...(dev === true ? { dev } : {}),
      optional: true,
      os: [os],
    };
    added++;
  }
}
const [[root, self], ...rest] = Object.entries(lock.packages);
rest.sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries([[root, self], ...rest]);
if (added > 0) writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added === 0 ? "the lockfile is complete" : `added ${added} platform packages`);
