/** A directory in a process of its own; tells its parent where it listens. */
import { startDirectory } from "inferwire/directory";

const directory = await startDirectory({ endpoint: "127.0.0.1:0" });
const { host, port } = directory.address;
process.send?.(`${host}:${port}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    if (process.connected) process.disconnect();
    void directory.close();
  });
}
