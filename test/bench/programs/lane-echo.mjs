// What lanes under measurement load: echoes; a payload of the one letter "s" is answered after 5 ms of work.
import { BaseProcessor } from "inferwire/host";

const WORK_MS = 5;

export class processor extends BaseProcessor {
  process(data) {
    if (data.length !== 1) return data;
    const endMs = performance.now() + WORK_MS;
    while (performance.now() < endMs);
    return data;
  }
}
