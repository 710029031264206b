// A host that echoes, as its user would write it.
import { BaseProcessor } from "inferwire/host";

class Echo extends BaseProcessor {
  process(data) {
    return data;
  }
}

const host = await new Echo({ endpoint: "127.0.0.1:0", token: "bench-token" }).start();
process.send({ port: host.address.port });
