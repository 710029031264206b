import fc from "fast-check";
import { describe, it } from "vitest";
import { ConfigError } from "../../../src/core/serving-error.js";
import type { EndpointType } from "../../../src/eas/endpoint-type.js";
import { predictRoute } from "../../../src/eas/predict-route.js";
import { requestTarget } from "../../../src/eas/request-target.js";
import { checkTarget } from "../../../src/transport/http-headers.js";
import { fuzz } from "../balance/fuzz-settings.js";

const pieces = [
  ...["http://", "https://", "HTTP://", "//", "/", "@", ":", ":80", ":0", "?", "#", ",", "..", " "],
  ...[
    "gw",
    "127.0.0.1",
    "[::1]",
    "user:hush",
    "mnist",
    "group.mnist",
    "ü",
    "%20",
    "\r\n",
    "\ud800",
  ],
  ...["/api/predict/", "/api/v1/servicediscovery/upstreams/", "/upstreams", "?internal=true"],
];

const addresses = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
);

const queries = fc.dictionary(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.oneof(fc.string({ unit: "binary" }), fc.constant(null), fc.array(fc.string())),
);

const types = fc.constantFrom<EndpointType>("", "DEFAULT", "DIRECT", "VIPSERVER");

describe("where calls go", () => {
  it("is something that can be sent, or a ConfigError without what may be a secret", () => {
    fc.assert(
      fc.property(
        addresses,
        addresses,
        types,
        fc.option(addresses, { nil: undefined }),
        addresses,
        queries,
        (endpoint, service, endpointType, url, path, query) => {
          const options = { endpointType, url, tls: undefined, vipserverList: "list:8080" };
          let target: string;
          try {
            const route = predictRoute(endpoint, service, options);
            target = requestTarget({ route, path: path.replaceAll("#", ""), query });
          } catch (error) {
            if (!(error instanceof ConfigError)) throw error;
            if (/^(endpoint|url) (is|has).*hush.*@/.test(error.message))
              throw new Error(error.message);
            return;
          }
          checkTarget(target);
        },
      ),
      fuzz(2_000),
    );
  });
});
