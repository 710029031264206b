// A directory for tests of whole processes: `directory.mjs OPTIONS_AS_JSON`.
import { startDirectory } from "inferwire/directory";

await startDirectory(JSON.parse(process.argv[2] ?? "{}"));
