// A module that runs its processor some time after it has been loaded.
import { BaseProcessor } from "inferwire/host";

class Later extends BaseProcessor {
  process() {
    return Buffer.from("later");
  }
}

setTimeout(() => void new Later().run(), 50);
