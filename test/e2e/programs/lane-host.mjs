// Keeps a lane that is asked once for what the arguments say, tells the lane's process, and lives on.
import { callOf, laneOf } from "./lane-once.mjs";

const lane = laneOf("process", new URL("lane-processor.mjs", import.meta.url));
await lane.start();
const [, , path, data] = process.argv;
lane.run(callOf(path, data)).catch(() => {});
process.stdout.write(`lane=${lane.pid}.`);
process.on("SIGTERM", () => process.exit(7));
