// A processor that does as it should, and answers the same question always alike.
import { BaseProcessor } from "inferwire/host";

class Good extends BaseProcessor {
  process(data) {
    return Buffer.from(String(data).toUpperCase());
  }
}

export { Good as processor };
