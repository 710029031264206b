/** What a module is told that starts a host itself although a command hosts its processor. */
export const HOST_IN_MODULE: string =
  "the module starts a host itself, with start() or startHost(): where inferwire hosts it, call run() instead, or export the " +
  "processor as default or as processor";
