// A module without a processor.
export const weight = 5;
