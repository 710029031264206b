import type { CompletedArgument, CompletedCommand, CompletedFlag } from "./model.js";

/** For zsh's own `_arguments`. Where no words are known zsh completes files. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const described = commands.map(({ name, description }) => quoted(`${name}:${description}`));
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
${commands.map(zshCommand).join("\n")}
  esac
}
if [[ $funcstack[1] == _inferwire ]]; then
  _inferwire "$@"
else
  compdef _inferwire inferwire
fi
`;
}

function zshCommand({ name, flags, args }: CompletedCommand): string {
  const specs = [...flags.map(flagSpec), ...args.map(argumentSpec)].map(quoted);
  return `    ${name})\n      _arguments \\\n        ${specs.join(" \\\n        ")}\n      ;;`;
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
  return words.length === 0 ? "_files" : `(${words.join(" ")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
