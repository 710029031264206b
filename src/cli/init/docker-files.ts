import { alwaysIgnored, secretFiles, secretFolders } from "../pack/ignore-rules.js";
import type { ProjectFiles } from "./project.js";

/** What the image is to those who run it: the port it answers on, and the number of its user (`node` in Node's images). */
export const image = { port: 8080, userId: 1000 } as const;

/** An image of the service: built in one stage, run in another that has no tools, by a user that is not root. */
export const dockerFiles: ProjectFiles = {
  Dockerfile: `# syntax=docker/dockerfile:1
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production INFERWIRE_ENDPOINT=:${image.port}
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=build /app/dist dist
COPY app.json ./
USER node
EXPOSE ${image.port}
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:${image.port}/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
`,
  ".dockerignore": dockerIgnore(),
};

/** What no archive has, no image has either. */
function dockerIgnore(): string {
  const patterns = new Set([...alwaysIgnored, ...secretFiles, ...secretFolders]);
  return ["dist", ...[...patterns].map((pattern) => `**/${pattern}`), ""].join("\n");
}
