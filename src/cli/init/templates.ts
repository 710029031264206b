import { processorTemplate } from "./processor-template.js";
import type { Template } from "./project.js";
import { serviceTemplate } from "./service-template.js";
import { tensorflowTemplate } from "./tensorflow-template.js";

/** What the flag `--template` takes. */
export type TemplateName = "processor" | "service" | "tensorflow";

/** Every kind of project. */
export const templates: Readonly<Record<TemplateName, Template>> = {
  processor: processorTemplate,
  service: serviceTemplate,
  tensorflow: tensorflowTemplate,
};

/** What is made without the flag. */
export const defaultTemplate: TemplateName = "processor";
