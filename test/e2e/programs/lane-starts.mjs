// A module that starts a host of its own, also where it is loaded by a lane of one.
import { startHost } from "inferwire/host";

await startHost({ process: (data) => data }, { endpoint: "127.0.0.1:0" });
