// A main module that runs the processor of host-lanes.mjs: `host-lanes-run.mjs OPTIONS_AS_JSON`.
import { Lab } from "./host-lanes.mjs";

await new Lab({ endpoint: "127.0.0.1:0", ...JSON.parse(process.argv[2] ?? "{}") }).run();
