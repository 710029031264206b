#!/usr/bin/env node
import { createRequire } from "node:module";
import { runNodeJs } from "@bufbuild/protoplugin";
import { createPlugin } from "./plugin.js";

const { version } = createRequire(import.meta.url)("inferwire/package.json") as {
  readonly version: string;
};

runNodeJs(createPlugin(version));
