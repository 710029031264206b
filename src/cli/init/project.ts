/** What a project is made of: texts by their path with slashes, relative to its folder. */
export type ProjectFiles = Readonly<Record<string, string>>;

/** What the templates know of a project. */
export interface Project {
  /** Name of the service: `my_model`. */
  readonly service: string;
  /** Name of the npm package: `my-model`. */
  readonly packageName: string;
  /** Begins the names of classes and of the proto's service: `MyModel`. */
  readonly className: string;
  /** First part of the proto's package, and of its path: `my_model`. */
  readonly protoName: string;
  /** What package.json says of the kit: a version, or `file:` and a path. */
  readonly kit: string;
  /** Whether it has manifests for Kubernetes. */
  readonly kubernetes: boolean;
  /** The version of a package that the kit is tested with. */
  versionOf(name: string): string;
}

/** One kind of project. */
export interface Template {
  /** What the help says of it. */
  readonly summary: string;
  /** Whether it has protos, and so code to generate. */
  readonly generates: boolean;
  /** The files that it has besides those of every project. */
  files(project: Project): ProjectFiles;
}
