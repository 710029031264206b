// The arrows of ARCHITECTURE.md: what stands left may import what stands right, and nothing else.
const arrows = {
  eas: ["client", "resolve", "transport", "tensor", "compression", "wire", "core"],
  client: ["resolve", "balance", "transport", "wire", "core"],
  directory: ["server", "transport", "resolve", "wire", "core"],
  host: [
    "door",
    "lane",
    "builtin",
    "processor",
    "server",
    "transport",
    "tensor",
    "compression",
    "wire",
    "core",
  ],
  door: ["server", "processor", "builtin", "wire", "core"],
  lane: ["processor", "core"],
  builtin: ["core"],
  testing: ["client", "host", "processor", "wire", "core"],
  resolve: ["transport", "wire", "core"],
  processor: ["tensor", "core"],
  tensor: ["core"],
  compression: ["core"],
  transport: ["wire", "core"],
  server: ["wire", "core"],
  balance: ["core"],
  wire: ["core"],
  core: [],
};

const room = (name, allowed) => ({
  name: `arrows-of-${name}`,
  comment: `src/${name} may import only: ${allowed.join(", ") || "nothing"}`,
  severity: "error",
  from: { path: `^src/${name}/` },
  to: { path: "^src/", pathNot: `^src/(${[name, ...allowed].join("|")})/` },
});

const only = (name, what, where, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: "^src/", pathNot: where },
  to: { path: what },
});

module.exports = {
  forbidden: [
    ...Object.entries(arrows).map(([name, allowed]) => room(name, allowed)),
    {
      name: "no-cycles",
      comment: "types included",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    only("gen-by-wire", "^gen/", "^src/wire/", "only src/wire imports generated code"),
    only(
      "grpc-js-in-few-files",
      "node_modules/@grpc/grpc-js",
      "^src/(server/grpc-|transport/(grpc-|background-credentials)|client/(channel-facade|balanced-call))",
      "grpc-js is the first transport, not the last: few files know it",
    ),
    {
      name: "nice-grpc-in-few-files",
      comment:
        "typed clients are nice-grpc's; the transport wants its patch of grpc-js; types are free",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(client/|testing/|transport/grpc-transport)" },
      to: { path: "node_modules/nice-grpc/", dependencyTypesNot: ["type-only"] },
    },
    only(
      "prom-client-in-one-file",
      "node_modules/prom-client/",
      "^src/host/prometheus-text",
      "one file knows prom-client",
    ),
    only(
      "compressors-in-one-room",
      "node_modules/(snappy|lz4-napi|@hpcc-js)/",
      "^src/compression/",
      "one room knows the compression libraries",
    ),
    only(
      "undici-in-few-files",
      "node_modules/undici/",
      "^src/transport/http-transport",
      "few files know undici",
    ),
    only("pino-in-one-file", "node_modules/pino/", "^src/server/logger", "one file knows pino"),
    {
      name: "core-is-pure",
      comment: "core does no I/O and needs no package",
      severity: "error",
      from: { path: "^src/(core|balance|tensor)/" },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },
    {
      name: "no-orphans",
      comment: "a file that nobody imports",
      severity: "error",
      from: { orphan: true, path: "^src/", pathNot: "^src/index\\.ts$" },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types"] },
    reporterOptions: { archi: { collapsePattern: "^(src|gen)/[^/]+" } },
  },
};
