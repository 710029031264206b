import { checkOneOf } from "../core/options.js";

/** Calls go to the endpoint itself: a gateway, or a single host. */
export const ENDPOINT_TYPE_DEFAULT: "DEFAULT" = "DEFAULT";

/** The endpoint is a discovery service; calls go straight to the instances that it lists. */
export const ENDPOINT_TYPE_DIRECT: "DIRECT" = "DIRECT";

/** The endpoint is a domain of VIPServer; calls go straight to its hosts. */
export const ENDPOINT_TYPE_VIPSERVER: "VIPSERVER" = "VIPSERVER";

/** How the address of a call is found, by the EAS SDKs' names; the empty text is `DEFAULT`. */
export type EndpointType = "" | "DEFAULT" | "DIRECT" | "VIPSERVER";

/** Those that have a name. */
const named: readonly EndpointType[] = [
  ENDPOINT_TYPE_DEFAULT,
  ENDPOINT_TYPE_DIRECT,
  ENDPOINT_TYPE_VIPSERVER,
];

/**
 * Checks a type; the empty one is as good, but nothing to tell of.
 *
 * @throws ConfigError `INVALID_OPTION` with the nearest type, or with all of them.
 */
export function checkEndpointType(type: EndpointType, option: string): EndpointType {
  return type === "" ? type : checkOneOf(type, option, named);
}
