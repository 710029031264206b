import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

/** The text of a proto's comment on a service or rpc, with `@deprecated` where the proto says so; empty without one. */
export function commentText(desc: DescService | DescMethod): string {
  const { leading, trailing } = getComments(desc);
  const lines = (leading ?? trailing ?? "").split("\n").map((line) => line.replace(/^ /, ""));
  // The rest of a block that began with two stars.
  const text = lines
    .join("\n")
    .trim()
    .replace(/^\*\s+/, "");
  if (!desc.deprecated) return text;
  return text === "" ? "@deprecated" : `${text}\n\n@deprecated`;
}

/**
 * Lines of a TSDoc block; none for an empty text.
 *
 * @param indentation - what each line begins with
 */
export function docLines(text: string, indentation = ""): readonly string[] {
  if (text === "") return [];
  // Whoever ends the block early writes code into the file.
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  const [only = ""] = lines;
  if (lines.length === 1) return [`${indentation}/** ${only} */`];
  const inner = lines.map((line) => `${indentation} * ${line}`.trimEnd());
  return [`${indentation}/**`, ...inner, `${indentation} */`];
}
