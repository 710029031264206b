const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes a text of anybody's harmless inside HTML and its attributes. */
export function escapeHtml(text: string): string {
  // What HTML does not allow at all goes besides.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is meant
  const allowed = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "\ufffd");
  return allowed.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
