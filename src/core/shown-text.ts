/** Makes a text of somebody else's fit for messages and logs: on one line, without control characters, and not too long. */
export function shownText(text: string, maxCharacters: number): string {
  const printable = text.replace(/[\s\p{C}]+/gu, " ").trim();
  const characters = [...printable];
  if (characters.length <= maxCharacters) return printable;
  return `${characters.slice(0, maxCharacters).join("")}...`;
}

/** A text without the token or signature that was sent, with or without the scheme before it. */
export function withoutSecret(text: string, authorization = ""): string {
  const secret = authorization.replace(/^(Bearer|EAS) +/i, "");
  return secret === "" ? text : text.replaceAll(secret, "***");
}
