# bash completion of tinyml-opt. Commands and options are read from its help, so that they are never out of date.

_tinyml_opt_commands() {
  "$1" --help 2>/dev/null | sed -n '/^Subcommands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# The words of "a|b|c" in the line of an option: its choices.
_tinyml_opt_choices() {
  "$1" "$2" --help 2>/dev/null | sed -nE "s/^ *(-[a-z],)?$3 ([a-z0-9-]+(\|[a-z0-9-]+)+).*/\2/p" | tr '|' ' '
}

_tinyml_opt() {
  local tool=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} choices
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_tinyml_opt_commands "$tool") --help --version" -- "$word")
    return
  fi
  if [[ $before == --* ]]; then
    choices=$(_tinyml_opt_choices "$tool" "${COMP_WORDS[1]}" "$before")
    if [ -n "$choices" ]; then
      mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
      return
    fi
  fi
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$tool" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE '^ +(-[a-z],)?--[a-z-]+' |
      grep -oE -- '--[a-z-]+')" -- "$word")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -o filenames -F _tinyml_opt tinyml-opt
