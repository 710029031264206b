import type { CliCommand } from "./command.js";
import { configureResolveFlags, type ResolveFlags } from "./resolve/flags.js";

/** `inferwire resolve`: lists the instances of a target. */
export const resolveCommand: CliCommand<ResolveFlags> = {
  name: "resolve",
  summary: "list the instances that a target stands for, with their share of the traffic",
  examples: [
    { line: "resolve directory://127.0.0.1:8100/sentiment", what: "what a directory lists" },
    {
      line: "resolve directory://127.0.0.1:8100/sentiment --watch",
      what: "and every change of it, until Ctrl+C",
    },
    {
      line: "resolve directory://127.0.0.1:8100/sentiment --health",
      what: "and which of them serve; exits with 4 when none does",
    },
    {
      line: "resolve http://127.0.0.1:8100/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/sentiment",
      what: "what EAS's discovery lists",
    },
    { line: "resolve file:///etc/inferwire/sentiment.json", what: "the same JSON, in a file" },
    {
      line: "resolve dns:///sentiment.internal:8080",
      what: "addresses in DNS; dns://10.0.0.2/NAME:PORT asks that server",
    },
    { line: "resolve srv:///_grpc._tcp.sentiment.internal", what: "SRV records in DNS" },
    {
      line: "resolve etcd://10.0.0.5:2379,10.0.0.6:2379/inferwire/sentiment",
      what: "keys below inferwire/sentiment/ in etcd",
    },
    {
      line: "resolve kubernetes:///prod/sentiment:grpc",
      what: "the ready endpoints of a service, from inside the cluster",
    },
    {
      line: "resolve kubernetes://127.0.0.1:8001/prod/sentiment:8080",
      what: "the same through kubectl proxy",
    },
  ],
  configure(command) {
    command.argument("<target>", "directory://HOST:PORT/SERVICE, or any other target");
    configureResolveFlags(command);
  },
  async run([target = ""], flags, context) {
    const { runResolve } = await import("./resolve/run-resolve.js");
    return await runResolve(target, flags, context);
  },
};
