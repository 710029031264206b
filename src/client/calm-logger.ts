import { type Logger, silentLogger } from "../core/ports.js";

/** An app's logger that cannot end a call, or the process, by throwing; a silent one when there is none. */
export function calmLogger(logger: Logger | undefined): Logger {
  if (logger === undefined) return silentLogger;
  const calm =
    (level: keyof Logger): Logger["warn"] =>
    (fields, message) => {
      try {
        logger[level](fields, message);
      } catch {
        // There is nobody left to tell.
      }
    };
  return { debug: calm("debug"), info: calm("info"), warn: calm("warn"), error: calm("error") };
}
