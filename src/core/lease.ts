/** Shortest time that a registration may hold without renewal. */
export const MIN_LEASE_TTL_MS = 2_000;

/** Longest time that a registration may hold without renewal. */
export const MAX_LEASE_TTL_MS = 300_000;
