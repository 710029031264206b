import type { Logger } from "inferwire/host";

const nothing = (): void => {};

/** Keeps hosts and directories from logging, where the example's own lines are what counts. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
