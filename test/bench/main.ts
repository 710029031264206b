/** `npm run bench [server|client|pick|start|lanes|seen|tensor|eas|bytes|typed ...]`: all, or those that are named; one after the other. */
import { benchBytes } from "./bytes.js";
import { benchClient } from "./client.js";
import { benchEas } from "./eas.js";
import { benchLanes } from "./lanes.js";
import { benchPick } from "./pick.js";
import { benchSeen, benchServer } from "./server.js";
import { benchStart } from "./start.js";
import { benchTensor } from "./tensor.js";
import { benchTyped } from "./typed.js";

const benches = {
  server: benchServer,
  client: benchClient,
  pick: benchPick,
  start: benchStart,
  lanes: benchLanes,
  seen: benchSeen,
  eas: benchEas,
  bytes: benchBytes,
  tensor: benchTensor,
  typed: benchTyped,
};
const isBench = (name: string): name is keyof typeof benches => Object.hasOwn(benches, name);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !isBench(name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; known: ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
console.log(
  `Node ${process.version}, ${process.platform} ${process.arch}; medians (lowest-highest)\n`,
);
for (const name of asked.length > 0
  ? asked.filter(isBench)
  : Object.keys(benches).filter(isBench)) {
  await benches[name]((line) => console.log(line));
  console.log();
}
