/** What has failed is well again when it has been well for so many milliseconds: whoever stutters has failed once. */
export const CALM_MS = 3_000;
