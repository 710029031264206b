/** What moves a terminal's cursor, changes its state or turns its text round: C0, DEL, C1 and the marks of direction. */
const COMMANDING = /[\p{Cc}\p{Bidi_Control}]/gu;

/**
 * Writes what would command a terminal as JSON does, `\u001b`: servers choose their texts, not what the terminal does. Line ends and
 * tabs stay. JSON stays the JSON that it was.
 */
export function printable(text: string): string {
  return text.replace(COMMANDING, (each) =>
    each === "\n" || each === "\t" ? each : escaped(each),
  );
}

/** The same for what is to stay on one line, such as an error's message. */
export function printableLine(text: string): string {
  return text.replace(COMMANDING, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
