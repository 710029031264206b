import type { ProjectFiles, Template } from "./project.js";

/** The compiler's strict settings, for editors and `npm run check`; and those of a build. */
export function compilerSettings({ generates }: Template): ProjectFiles {
  const compiled = ["src", ...(generates ? ["gen"] : [])];
  const settings = {
    compilerOptions: {
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      rootDir: ".",
      outDir: "dist",
      noEmit: true,
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noImplicitOverride: true,
      noImplicitReturns: true,
      noFallthroughCasesInSwitch: true,
      noPropertyAccessFromIndexSignature: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      erasableSyntaxOnly: true,
      noUncheckedSideEffectImports: true,
      skipLibCheck: true,
    },
    include: [...compiled, "test"],
  };
  const build = {
    extends: "./tsconfig.json",
    compilerOptions: { noEmit: false, sourceMap: true },
    include: compiled,
  };
  const text = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
  return { "tsconfig.json": text(settings), "tsconfig.build.json": text(build) };
}
