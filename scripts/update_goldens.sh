#!/usr/bin/env bash
# Rewrites what the command-line tests expect; review the difference as you would review code.
#   usage: scripts/update_goldens.sh TOOL [CASE...]
exec "$(dirname "$0")/run_goldens.sh" --update "$@"
