import type { Project } from "./project.js";

/** The program that hosts the processor. */
export function mainModule({ className }: Project): string {
  return `import { env } from "node:process";
import { hostOptionsFrom } from "inferwire/host";
import ${className} from "./processor.js";

// Variables (INFERWIRE_ENDPOINT, INFERWIRE_TOKEN and so on) win over the service description.
const file = new URL("../../app.json", import.meta.url);
await new ${className}(await hostOptionsFrom({ env, file })).run();
`;
}
