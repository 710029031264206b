import { describe, expect, it } from "vitest";
import { projectFiles } from "../../../../src/cli/init/create-project.js";
import type { ProjectFiles } from "../../../../src/cli/init/project.js";
import { projectNames } from "../../../../src/cli/init/project-name.js";
import { type TemplateName, templates } from "../../../../src/cli/init/templates.js";

function filesOf(template: TemplateName, name = "my-model", kubernetes = false): ProjectFiles {
  const versionOf = (): string => "1.2.3";
  const project = { ...projectNames(name, "--name"), kit: "^0.1.0", kubernetes, versionOf };
  return projectFiles(project, templates[template]);
}

const manifestOf = (files: ProjectFiles): Record<string, unknown> =>
  JSON.parse(files["package.json"] ?? "");

describe("projectFiles", () => {
  it("names everything after the service", () => {
    const files = filesOf("service");
    expect(manifestOf(files)).toMatchObject({ name: "my-model" });
    expect(JSON.parse(files["app.json"] ?? "")).toMatchObject({ name: "my-model" });
    expect(Object.keys(files).filter((path) => path.startsWith("proto/"))).toEqual([
      "proto/my_model/v1/my_model.proto",
    ]);
    expect(files["src/processor.ts"]).toContain("class MyModel extends MyModelServiceProcessor");
    const other = filesOf("service", "group.mood_Service");
    expect(manifestOf(other)).toMatchObject({ name: "group-mood-service" });
    expect(other["src/processor.ts"]).toContain("class GroupMoodService extends");
  });

  it("lists the packages that its kind needs, tools in exact versions", () => {
    expect(manifestOf(filesOf("service"))).toMatchObject({
      dependencies: {
        "@bufbuild/protobuf": "^1.2.3",
        inferwire: "^0.1.0",
        "nice-grpc-common": "^1.2.3",
      },
      devDependencies: {
        "@bufbuild/buf": "1.2.3",
        "@bufbuild/protoplugin": "1.2.3",
        "ts-proto": "1.2.3",
      },
    });
    const { dependencies, devDependencies } = manifestOf(filesOf("processor"));
    expect(dependencies).toEqual({ inferwire: "^0.1.0" });
    expect(Object.keys(devDependencies ?? {})).toEqual(["@types/node", "typescript", "vitest"]);
  });

  it("has manifests for Kubernetes when asked for, and says so", () => {
    const manifests = (files: ProjectFiles): readonly string[] =>
      Object.keys(files).filter((path) => path.startsWith("kubernetes/"));
    const without = filesOf("processor");
    expect(manifests(without)).toEqual([]);
    expect(without["README.md"]).not.toContain("Kubernetes");
    const files = filesOf("processor", "group.mood_2", true);
    expect(manifests(files)).toHaveLength(4);
    expect(files["README.md"]).toContain("kubernetes:///NAMESPACE/group-mood-2:grpc");
  });

  it.each(Object.keys(templates) as TemplateName[])(
    "keeps secrets out of the image of %s",
    (kind) => {
      const ignored = filesOf(kind)[".dockerignore"]?.split("\n");
      expect(ignored).toEqual(
        expect.arrayContaining(["**/.env*", "**/*.key", "**/.npmrc", "**/.aws", "**/node_modules"]),
      );
    },
  );
});
