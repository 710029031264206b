import { checkOneOf, seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** Which of a region's hosts is meant. */
export interface EasHostOptions {
  /** The account's id, digits; the host is then one of today's form, otherwise one of the old form. */
  readonly uid?: string | number | undefined;
  /**
   * From where it is to be reached: inside a VPC, or from the internet.
   *
   * @defaultValue "vpc"
   */
  readonly network?: "vpc" | "public" | undefined;
}

/**
 * Makes the base address of EAS in a region: the endpoint of calls through the gateway, inside a VPC also of direct ones.
 *
 * @param region - such as `cn-shanghai`
 * @returns such as `http://123.vpc.cn-shanghai.pai-eas.aliyuncs.com`, without a slash at its end
 * @throws ConfigError `INVALID_OPTION`
 *
 * Source: EAS's help pages; the form without an account is that of older pages, where only some regions are named.
 */
export function easHost(region: string, options: EasHostOptions = {}): string {
  const { uid, network = "vpc" } = options;
  if (typeof region !== "string" || !/^[a-z]+(?:-[a-z0-9]+)+$/.test(region)) {
    throw servingError("INVALID_OPTION", `region is ${seen(region)}, expected such as cn-shanghai`);
  }
  checkOneOf(network, "network", ["vpc", "public"]);
  if (uid === undefined) {
    const name = network === "vpc" ? "pai-eas-vpc" : "pai-eas-internet";
    return `http://${name}.${region}.aliyuncs.com`;
  }
  if (!/^\d+$/.test(String(uid))) {
    throw servingError("INVALID_OPTION", `uid is ${seen(uid)}, expected the account's digits`);
  }
  return `http://${uid}.${network === "vpc" ? "vpc." : ""}${region}.pai-eas.aliyuncs.com`;
}
