#!/usr/bin/env bash
# Sets up a virtual environment in .venv beside this file on first use, then:
#   ./run.sh              trains one design on MNIST: --stride=2
#   ./run.sh --pool=2 ... passes flags on to python -m cnn_ablation.main
#   ./run.sh study ...   redoes the whole notebook: many seeds, verdicts, a report
#   ./run.sh test         lint, types, import contract, then every test, in two processes
#   ./run.sh test ...     these tests at once: whatever pytest takes, such as tests/design or -k NAME
#   ./run.sh docs         builds the pages as a site in build/site, links checked
#   ./run.sh test --matrix ...   on Python 3.11 to 3.13, and on the lowest versions of setup.cfg
#   ./run.sh check        lint, types and import contract alone
# PYTHON names the interpreter to set up with (default: python3); any from 3.11 on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
python=${PYTHON:-python3}

die() { echo "error: $1" >&2; exit 2; }

# The environment is complete when the stamp is there and holds what was asked for.
install() {
  local extras=$1 stamp=.venv/installed-$1 wanted
  command -v "$python" >/dev/null || die "PYTHON=$python: not found; Python 3.11 or newer is needed"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "PYTHON=$python: is $("$python" -V); Python 3.11 or newer is needed"
  wanted=$(cksum setup.cfg pyproject.toml)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  echo "setting up .venv ($extras); this happens once" >&2
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".[$extras]" ||
    die ".venv: installing the packages of setup.cfg failed (see above); is there a network?"
  echo "$wanted" >"$stamp"
}

# The first that fails ends the script.
check() {
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  .venv/bin/mypy cnn_ablation experiments tests
  .venv/bin/lint-imports --no-cache --no-logo
}

case "${1:-}" in
  test)
    shift
    install test
    [ "${1:-}" = --matrix ] && exec .venv/bin/python tests/matrix.py "${@:2}"
    [ $# -gt 0 ] && exec .venv/bin/python -m pytest "$@"
    check
    exec .venv/bin/python -m pytest -n 2
    ;;
  check)
    [ $# -eq 1 ] || die "check $2: must be alone; tests are chosen after ./run.sh test"
    install test
    check
    ;;
  docs)
    [ $# -eq 1 ] || die "docs $2: must be alone"
    install test
    .venv/bin/python -m mkdocs build --strict --quiet
    echo "build/site/index.html"
    ;;
  study)
    shift
    install run
    exec .venv/bin/python -m experiments.notebook "$@"
    ;;
  "")
    install run
    exec .venv/bin/python -m cnn_ablation.main --stride=2
    ;;
  *)
    install run
    exec .venv/bin/python -m cnn_ablation.main "$@"
    ;;
esac
