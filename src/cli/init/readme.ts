import { image } from "./docker-files.js";
import { portName } from "./kubernetes-files.js";
import type { Project, Template } from "./project.js";

/** The commands that come next, in order, each with what it does. */
export function nextCommands({ generates }: Template): readonly (readonly [string, string])[] {
  return [
    ["npm install", ""],
    ...(generates ? [["npm run generate", "typed code into gen/; commit it"] as const] : []),
    ["npm test", ""],
    ["npm start", "hosts it on 127.0.0.1:8080; Ctrl+C stops it"],
    ["npm run client", "in another terminal: calls it"],
  ];
}

/** Commands as lines of a shell, with what they do behind them. */
export function commandLines(commands: readonly (readonly [string, string])[]): string {
  const width = Math.max(...commands.map(([command]) => command.length));
  return commands
    .map(([command, what]) => (what === "" ? command : `${command.padEnd(width)}  # ${what}`))
    .join("\n");
}

/** The project's README.md. */
export function readme(project: Project, template: Template): string {
  const proto = `proto/${project.protoName}/v1/${project.protoName}.proto`;
  const files = [
    ...(template.generates
      ? [
          [proto, "the service: its methods and messages"] as const,
          ["gen/", "code generated from it; never edited"] as const,
        ]
      : []),
    ["src/processor.ts", "what answers calls"] as const,
    ["src/main.ts", "hosts it"] as const,
    ["src/client.ts", "calls it"] as const,
    [
      "app.json",
      "the service description: name, limits; `INFERWIRE_...` variables win over it",
    ] as const,
    ["Dockerfile", "an image with nothing but what runs; healthy when `/readyz` says so"] as const,
    ...(project.kubernetes
      ? [["kubernetes/", "runs that image: manifests, whose comments say what to put in"] as const]
      : []),
  ];
  return `# ${project.service}

${template.summary[0]?.toUpperCase()}${template.summary.slice(1)}, served with [inferwire](https://www.npmjs.com/package/inferwire).

\`\`\`sh
${commandLines(nextCommands(template))}
\`\`\`

| file | what it is |
|---|---|
${files.map(([file, what]) => `| \`${file}\` | ${what} |`).join("\n")}

\`npm run check\` is for CI: it type-checks${template.generates ? ", and fails when gen/ does not match the proto" : ""}. \`npx inferwire pack . --out ${project.packageName}.tar.gz\` makes an
archive for deployment, the same bytes every time. \`docker build .\` needs the package-lock.json that \`npm install\` wrote.
${project.kubernetes ? onKubernetes(project) : ""}`;
}

/** How the manifests are applied, and what clients say to find the pods. */
const onKubernetes = ({ packageName }: Project): string => `
On Kubernetes, once its image is in \`kubernetes/deployment.yaml\`:

\`\`\`sh
openssl rand -hex 32 | kubectl create secret generic ${packageName}-token --from-file=token=/dev/stdin
kubectl apply -f kubernetes
\`\`\`

Clients in the cluster find the pods as \`kubernetes:///NAMESPACE/${packageName}:${portName}\`, which needs kubernetes/client-rbac.yaml, or as
\`dns:///${packageName}.NAMESPACE.svc.cluster.local:${image.port}\`, which needs nothing.
`;
