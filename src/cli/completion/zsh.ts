import type { CompletedArgument, CompletedCommand, CompletedFlag } from "./model.js";

/** For zsh's own `_arguments`. Where no words are known zsh completes files. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const described = commands.map(describedName);
  return `#compdef inferwire
# zsh completion for inferwire, by "inferwire completion zsh"
_inferwire() {
  local -a commands
  commands=(
    ${described.join("\n    ")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${commands.map((command) => zshCommand(command, "    ")).join("\n")}
  esac
}
if [[ $funcstack[1] == _inferwire ]]; then
  _inferwire "$@"
else
  compdef _inferwire inferwire
fi
`;
}

function describedName({ name, description }: CompletedCommand): string {
  return quoted(`${name}:${description}`);
}

function zshCommand({ name, flags, args, commands }: CompletedCommand, indent: string): string {
  const specs = [...flags.map(flagSpec), ...args.map(argumentSpec)].map(quoted);
  return [
    `${indent}${name})`,
    ...(commands.length === 0 ? [] : zshBelow(commands, `${indent}  `)),
    `${indent}  _arguments \\\n${indent}    ${specs.join(` \\\n${indent}    `)}`,
    `${indent}  ;;`,
  ].join("\n");
}

/** The names of the commands below one, right behind its own, and what those take. */
function zshBelow(commands: readonly CompletedCommand[], indent: string): readonly string[] {
  const inside = `${indent}  `;
  return [
    `${indent}if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then`,
    `${inside}commands=(`,
    ...commands.map((each) => `${inside}  ${describedName(each)}`),
    `${inside})`,
    `${inside}_describe command commands`,
    `${inside}return`,
    `${indent}fi`,
    `${indent}if (( CURRENT > 2 )) && [[ $words[2] == (${commands.map(({ name }) => name).join("|")}) ]]; then`,
    `${inside}shift words`,
    `${inside}(( CURRENT-- ))`,
    `${inside}case $words[1] in`,
    ...commands.map((each) => zshCommand(each, `${inside}  `)),
    `${inside}esac`,
    `${inside}return`,
    `${indent}fi`,
  ];
}

/** Any flag may be repeated as far as the shell is concerned. */
function flagSpec({ name, description, takesValue, words }: CompletedFlag): string {
  const said = description.replace(/[\]\\:]/g, "\\$&");
  return `*${name}[${said}]${takesValue ? `:value:${action(words)}` : ""}`;
}

function argumentSpec({ name, words, variadic }: CompletedArgument, index: number): string {
  return `${variadic ? "*" : index + 1}:${name}:${action(words)}`;
}

function action(words: readonly string[]): string {
  // A colon would end it.
  return words.length === 0 ? "_files" : `(${words.join(" ").replaceAll(":", "\\:")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
