import type { CompletedCommand } from "./model.js";

/**
 * For bash 3.2 and later, without the package bash-completion. Where no words are known bash completes files.
 *
 * The line is split at blanks by `read`: bash's own words break at `:` and `=`, which targets have; and nothing that was
 * typed is evaluated.
 */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const below = commands.flatMap(commandsBelow);
  const all = [...commands, ...below];
  return `# bash completion for inferwire, by "inferwire completion bash"
_inferwire() {
  local line=\${COMP_LINE:0:COMP_POINT} words current previous command first=2 at=0 i
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  previous=\${words[\${#words[@]}-2]}
  if [[ $current == --*=* ]]; then
    previous=\${current%%=*}
    current=\${current#*=}
  fi
  COMPREPLY=()
  if ((\${#words[@]} <= 2)); then
    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), "--help", "--version"].join(" ")}" -- "$current"))
    return
  fi
  command=\${words[1]}
  if ((\${#words[@]} > 3)); then
    case $command/\${words[2]} in
      ${below.length === 0 ? "/" : below.map(({ name }) => name).join(" | ")})
        command+=/\${words[2]}
        first=3
        ;;
    esac
  fi
  local flags= valued= below= fixed=()
  case $command in
${all.map(bashCommand).join("\n")}
    *) return ;;
  esac
  if [[ " $valued " == *" $previous "* ]]; then
    case $command$previous in
${all.flatMap(bashValues).join("\n")}
    esac
    return
  fi
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    return
  fi
  if [[ -n $below ]] && ((\${#words[@]} == 3)); then
    COMPREPLY=($(compgen -W "$below" -- "$current"))
    return
  fi
  for ((i = first; i < \${#words[@]} - 1; i++)); do
    if [[ " $valued " == *" \${words[i]} "* ]]; then
      ((i++))
    elif [[ \${words[i]} != -* ]]; then
      ((at++))
    fi
  done
  [[ -n \${fixed[at]} ]] && COMPREPLY=($(compgen -W "\${fixed[at]}" -- "$current"))
}
complete -o default -F _inferwire inferwire
`;
}

/** The commands below one, named by the way to them: `directory/ls`. */
function commandsBelow({ name, commands }: CompletedCommand): readonly CompletedCommand[] {
  return commands.map((each) => ({ ...each, name: `${name}/${each.name}` }));
}

function bashCommand({ name, flags, args, commands }: CompletedCommand): string {
  const all = flags.map((flag) => flag.name).join(" ");
  const valued = flags.filter(({ takesValue }) => takesValue).map((flag) => flag.name);
  const fixed = args.map(({ words }) => `"${words.join(" ")}"`).join(" ");
  const below = commands.map((each) => each.name).join(" ");
  const named = below === "" ? "" : ` below="${below}"`;
  return `    ${name}) flags="${all}" valued="${valued.join(" ")}"${named} fixed=(${fixed}) ;;`;
}

function bashValues({ name, flags }: CompletedCommand): readonly string[] {
  return flags
    .filter(({ words }) => words.length > 0)
    .map(
      (flag) =>
        `      ${name}${flag.name}) COMPREPLY=($(compgen -W "${flag.words.join(" ")}" -- "$current")) ;;`,
    );
}
