/** What a target that is a list of addresses begins with. */
const FIRST_OF_SEVERAL = /^([^,]*:\d+),/;

/**
 * The service as a label. A target that is a list of addresses has no other name than the list: of that the first address and how many
 * more there are, or each series would be as long as the list, and each deployment would make new ones.
 */
export function serviceLabel(service: string): string {
  const first = FIRST_OF_SEVERAL.exec(service)?.[1];
  return first === undefined ? service : `${first} +${service.split(",").length - 1}`;
}
