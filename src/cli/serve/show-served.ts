import type { CliContext } from "../command.js";
import type { ServedHost } from "./serve-host.js";

/** Shows what is served, and a token that was made for it. */
export function showServed(served: ServedHost, { terminal }: CliContext): void {
  const { address, service, lanes, generatedToken } = served;
  if (generatedToken !== undefined) showToken(generatedToken, terminal);
  const { kind, count } = lanes;
  terminal.result(
    { address, service, lanes },
    `serving ${service === "" ? "" : `${service} `}at ${address} (${count} ${kind} ${count === 1 ? "lane" : "lanes"})`,
  );
}

function showToken(generatedToken: string, terminal: CliContext["terminal"]): void {
  terminal.fail({ generatedToken }, `token made for this run, shown once: ${generatedToken}`);
}
