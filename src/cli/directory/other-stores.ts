import { ServingError, servingError } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import type { CliContext } from "../command.js";
import { printableLine } from "../printable.js";
import { saidBy } from "../said-by.js";
import type { DirectoryClient } from "./directory-client.js";
import { type ListedService, readService } from "./listed-service.js";
import { shownWithin } from "./shown-within.js";

/** What was set at one directory, and has to show at the others. */
export interface SetThing {
  /** Such as `weight 0 of gpu-1 of mnist`. */
  readonly what: string;
  /** The list in which it shows. */
  readonly service: string;
  readonly shows: (list: ListedService | undefined) => boolean;
}

/**
 * Reads what was set at one directory back from all others that are named: those that share its store show it soon, those with
 * another one never, and half of the clients would not know of it.
 *
 * Of one that does not answer, or cannot reach its store, nothing is known: that is said, and no failure.
 *
 * @throws CallError `FAILED_PRECONDITION` that names those with another store.
 */
export async function refuseOtherStores(
  client: DirectoryClient,
  { what, service, shows }: SetThing,
  { clock, terminal }: Pick<CliContext, "clock" | "terminal">,
): Promise<void> {
  const answers = await Promise.all(
    client.others().map(async (other) => {
      const { directory } = other;
      try {
        const list = await shownWithin(() => readService(other, service), shows, clock);
        if (shows(list)) return { directory, shown: true };
        if (list?.stale !== true) return { directory, shown: false };
        return { directory, unknown: "it cannot reach its store" };
      } catch (thrown) {
        return { directory, unknown: saidBy(ServingError.from(thrown)) };
      }
    }),
  );
  for (const { directory, unknown } of answers) {
    if (unknown === undefined) continue;
    const warning = `whether ${what} shows at directory ${directory} is not known: ${printableLine(unknown)}; if it has a store of its own, set it there too`;
    terminal.fail({ warning }, `warning: ${warning}`);
  }
  const without = answers.filter(({ shown }) => shown === false).map(({ directory }) => directory);
  if (without.length === 0) return;
  const has = without.length === 1 ? "has another store" : "have other stores";
  throw servingError(
    "CALL_FAILED",
    `FAILED_PRECONDITION (CALL_FAILED): ${what} holds at directory ${client.directory}, and does not show at ${without.join(" and ")}, which ${has}: set it there too, by --directory ${without.join(" and by --directory ")}`,
    { code: Status.FAILED_PRECONDITION },
  );
}
