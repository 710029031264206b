import type { Project } from "./project.js";

/** The service description: what `npm start` and `inferwire serve app.json` take options from. */
export function serviceDescription({ service }: Project): string {
  const description = {
    name: service,
    processor_entry: "./dist/src/processor.js",
    metadata: {
      rpc: { keepalive: 5_000, worker_threads: 5, max_queue_size: 64 },
    },
  };
  return `${JSON.stringify(description, undefined, 2)}\n`;
}
