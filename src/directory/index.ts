/** The upstream directory: subpath `inferwire/directory`. */
export type { Logger } from "../core/ports.js";
export type { ServerLimits } from "../server/limits.js";
export type { ServerTls } from "../server/port.js";
export type { ClientTls } from "../transport/transport.js";
export type { DirectoryOptions } from "./directory-options.js";
export { type Directory, startDirectory } from "./start-directory.js";
