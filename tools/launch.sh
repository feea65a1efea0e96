#!/bin/sh
# Runs ecs-pipeline on an agent:  sh launch STAGE [options]
#
# tools/package.py makes resources/ecs_pipeline/launch of this: the Python package and its pinned requirements are appended as
# a zip archive, so that one file is all that an agent needs.
#
# Takes the ecs-pipeline of the PATH when it has this version. Else it uses a virtual environment in a cache folder,
# which the first build on an agent makes and the others wait for:
# ${XDG_CACHE_HOME:-$HOME/.cache}/ecs-pipeline, or WORKSPACE_TMP/ecs-pipeline when that cannot be written.
# Nothing that others can write to is run: a cache folder is this user's alone, and relative folders of PATH and in
# XDG_CACHE_HOME, which lead into the workspace, do not count.
# pip takes its settings from where it always does: PIP_INDEX_URL, PIP_NO_INDEX, PIP_FIND_LINKS, PIP_CERT, pip.conf.
# ECS_PIPELINE_PYTHON names the Python to use; default: the first of the PATH that will do.
#
# Exit code and signals are those of ecs-pipeline. When it cannot be started: 4 (2 when this file is not whole), and one
# line that says why and what to do, on stderr and in `launch-error` beside this file. stdout is the stage's alone.
#
# `sh launch --for-jenkins` is how the Jenkins steps call it: see for_jenkins below.
set -u

version=0.1.0

# Before any program is started; the stage gets the same.
searched=$PATH:
absolute=''
while [ -n "$searched" ]; do
    case $searched in /*) absolute=${absolute:+$absolute:}${searched%%:*} ;; esac
    searched=${searched#*:}
done
PATH=${absolute:-/usr/bin:/bin}
unset PYTHONPATH PYTHONHOME PYTHONUSERBASE PYTHONPYCACHEPREFIX

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
archive=$here/$(basename -- "$0")
instead="or install ecs-pipeline $version on the agent"
child=''
unfinished=''

main() {
    if [ "${1:-}" = --for-jenkins ]; then
        for_jenkins
    else
        launch "$@"
    fi
}

# One step of a pipeline: stage ECS_PIPELINE_STAGE with its reports in ECS_PIPELINE_REPORTS, a folder below this one.
# Ends with 0 when the stage's exit code is one of ECS_PIPELINE_ACCEPT, else with that code. `told` beside this file says what the
# step needs to know: "ECS_PIPELINE_CALL CODE", why there is no report, then STAGE.json.
# ECS_PIPELINE_PRINTS: what the stage prints is its STAGE.json. ECS_PIPELINE_EXECUTABLE: an ecs-pipeline to run instead of ours.
for_jenkins() {
    reports=$ECS_PIPELINE_REPORTS
    stage=$ECS_PIPELINE_STAGE
    report=$reports/$stage.json
    rm -f "$here/told" "$here/launch-error"
    trap : HUP INT TERM # they are for the stage, which writes its reports then; this waits for it
    (own_folder && run_stage)
    code=$?
    {
        printf '%s %s\n' "$ECS_PIPELINE_CALL" "$code"
        [ "$code" = 0 ] || why
        echo
        [ ! -f "$report" ] || cat "$report"
    } >"$here/told.new" && mv "$here/told.new" "$here/told"
    for accepted in $ECS_PIPELINE_ACCEPT; do
        [ "$code" != "$accepted" ] || exit 0
    done
    exit "$code"
}

# What an earlier build left of this stage is not this one's. A link, which the sources may hold, would lead elsewhere.
own_folder() {
    path=
    rest=$reports/
    while [ -n "$rest" ]; do
        path=$path${path:+/}${rest%%/*}
        rest=${rest#*/}
        [ ! -L "$path" ] || fail 2 "$path is a link: remove it, or name another folder in \`reports\`"
    done
    mkdir -p "$reports" || fail 4 "cannot write to $reports: make room there, or name another folder in \`reports\`"
    found=$(find "$reports" -type l | head -n 1)
    [ -z "$found" ] || fail 2 "$found is a link: remove it, or name another folder in \`reports\`"
    rm -f "$reports/$stage".* "$reports/$stage"-*.svg "$reports/TEST-ecs-pipeline-$stage.xml"
}

run_stage() {
    if [ -n "${ECS_PIPELINE_PRINTS:-}" ]; then
        (installed_or_ours >"$report" 2>"$reports/$stage.log")
        code=$?
        cat "$reports/$stage.log" >&2
        exit "$code"
    fi
    installed_or_ours
}

installed_or_ours() {
    [ -z "${ECS_PIPELINE_EXECUTABLE:-}" ] || exec "$ECS_PIPELINE_EXECUTABLE" "$stage"
    launch "$stage"
}

why() { # one line, without its end
    if [ -f "$here/launch-error" ]; then
        head -n 1 "$here/launch-error" | tr -d '\n'
    elif [ -f "$reports/$stage.log" ]; then
        sed -n "s/^ecs-pipeline\( $stage\)\{0,1\}: //p" "$reports/$stage.log" | grep -v -e '^installing ' -e '^waiting for ' |
            tail -n 1 | tr -d '\n'
    fi
}

launch() { # STAGE [options]
    rm -f "$here/launch-error"
    installed=$(command -v ecs-pipeline)
    case $installed in
        "${WORKSPACE:-$PWD}"/* | '') ;; # what a commit brings along
        *)
            case $("$installed" --version 2>/dev/null) in
                *" $version") exec "$installed" "$@" ;;
            esac
            ;;
    esac
    mask=$(umask)
    umask 077
    trap 'interrupted 129' HUP
    trap 'interrupted 130' INT
    trap 'interrupted 143' TERM
    find_python
    find_environment
    trap - HUP INT TERM
    umask "$mask"
    touch "$environment/.complete" 2>/dev/null
    exec "$environment/bin/python" -I -m ecs_pipeline "$@" # -I: nothing of the workspace is taken for a module
}

fail() { # CODE MESSAGE [EVIDENCE]
    clean_up
    printf 'ecs-pipeline: %s\n' "$2" >&2
    (printf '%s\n' "$2" >"$here/launch-error") 2>/dev/null
    [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/  /' >&2
    exit "$1"
}

# shellcheck disable=SC2317 # traps call it
interrupted() { # CODE
    trap '' HUP INT TERM
    clean_up
    exit "$1"
}

clean_up() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    [ -z "$unfinished" ] || rm -rf "$unfinished"
}

run() { # COMMAND...: in the background and waited for, so that a signal is heard at once
    "$@" &
    child=$!
    wait "$child"
    set -- "$?"
    child=''
    return "$1"
}

# Prints what an environment of this file and this Python is named by. Exit 3: too old, 4: no venv, 5: nothing is appended.
probe='
import sys
if sys.version_info < (3, 10):
    sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)
import hashlib, sysconfig, zipfile
about = hashlib.sha256(repr((sys.base_prefix, sys.version, sysconfig.get_config_var("SOABI"))).encode())
with open(sys.argv[1], "rb") as file:
    about.update(file.read())
if not zipfile.is_zipfile(sys.argv[1]):
    sys.exit(5)
print(about.hexdigest()[:16])
'

find_python() {
    old=''
    bare=''
    if [ -n "${ECS_PIPELINE_PYTHON:-}" ]; then
        fits "$ECS_PIPELINE_PYTHON" && return
    else
        for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
            fits "$name" && return
        done
    fi
    [ -z "$bare" ] || fail 4 "$bare has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv), $instead"
    fail 4 "no Python 3.10 or newer${old:+ ($old)}: install one, name one in ECS_PIPELINE_PYTHON, $instead"
}

fits() { # PYTHON
    python=$1
    key=$("$python" -I -c "$probe" "$archive" 2>/dev/null)
    case $? in
        0) key=$version-$key ;;
        3) old=${old:-$python is $("$python" --version 2>&1)} && return 1 ;;
        4) bare=${bare:-$python} && return 1 ;;
        5) fail 2 "$archive is not whole: take resources/ecs_pipeline/launch of the library" ;;
        *) return 1 ;;
    esac
}

find_environment() {
    others=''
    cache=${HOME:+$HOME/.cache}
    case ${XDG_CACHE_HOME:-} in /*) cache=$XDG_CACHE_HOME ;; esac
    for base in ${cache:+"$cache/ecs-pipeline"} ${WORKSPACE_TMP:+"$WORKSPACE_TMP/ecs-pipeline"}; do
        environment=$base/$key
        case $base in /*) ;; *) continue ;; esac
        if ! ours_alone "$base" || ! ours_alone "$environment"; then continue; fi
        usable && return
        if (mkdir -p "$base" && : >>"$base/.lock") 2>/dev/null; then
            make_environment
            return
        fi
    done
    [ -z "$others" ] || fail 4 "others can write to $others: remove it, or set XDG_CACHE_HOME to a folder of this user \
alone, $instead"
    fail 4 "cannot write to ${cache:-a cache folder (no HOME)} nor to ${WORKSPACE_TMP:-a workspace (no WORKSPACE_TMP)}: \
set XDG_CACHE_HOME to a folder that this user can write, $instead"
}

ours_alone() { # FOLDER: true also when there is none
    [ -e "$1" ] || return 0
    [ -O "$1" ] && [ -z "$(find -H "$1" -prune \( -perm -020 -o -perm -002 \))" ] && return
    others=${others:-$1}
    printf 'ecs-pipeline: %s is not this user'"'"'s alone: it is not used\n' "$1" >&2
    return 1
}

usable() { # bin/python is a link: it leads nowhere once the agent's own Python is gone
    [ -f "$environment/.complete" ] && [ -x "$environment/bin/python" ]
}

# The kernel drops the lock with its holder. It only spares work: without it the first rename wins.
lock='
import fcntl, sys, time
deadline = time.monotonic() + 600
told = False
while time.monotonic() < deadline:
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sys.exit(0)
    except BlockingIOError:
        if not told:
            print("ecs-pipeline: waiting for another build on this agent to install it", file=sys.stderr)
        told = True
        time.sleep(0.2)
    except OSError:
        break
sys.exit(1)
'

make_environment() {
    exec 9>>"$base/.lock"
    if run "$python" -I -c "$lock"; then
        rm -rf "$base"/.new.* # left by builds that were killed
        usable || install
        forget_old
    else
        usable || install
    fi
    exec 9>&-
}

# Made aside and renamed when it is complete: a killed build leaves nothing that counts. No child keeps the lock.
# Wheels only: to build a source distribution pip would fetch build tools that nothing pins.
install() {
    printf 'ecs-pipeline: installing %s once for this agent: %s\n' "$version" "$environment" >&2
    unfinished=$(mktemp -d "$base/.new.XXXXXX") || fail 4 "cannot write to $base: make room there, $instead"
    log=$unfinished/install.log
    run "$python" -I -m venv "$unfinished" >"$log" 2>&1 9>&- ||
        fail 4 "$python makes no virtual environment: install its venv module (Debian, Ubuntu: apt-get install \
python3-venv), $instead" "$(tail -n 5 "$log")"
    run "$unfinished/bin/python" -I -c "$unpack" "$archive" "$unfinished" >"$log" 2>&1 9>&- ||
        fail 4 "the package cannot be unpacked ($(tail -n 1 "$log")): make room in $base, $instead"
    unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_NO_DEPS PIP_DRY_RUN PIP_REQUIREMENT PIP_EDITABLE PIP_CONSTRAINT PIP_PYTHON
    run "$unfinished/bin/python" -I -m pip install --quiet --no-user --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: --requirement "$unfinished/requirements.txt" --log "$unfinished/pip.log" \
        >"$log" 2>&1 9>&- || not_installed
    rm -f "$unfinished/pip.log"
    run "$unfinished/bin/python" -I -c "$finish" "$unfinished" "$environment" >"$log" 2>&1 9>&- ||
        fail 4 "what was installed does not run ($(tail -n 1 "$log")): try another Python by ECS_PIPELINE_PYTHON, $instead"
    unfinished=''
}

not_installed() {
    mirror='set PIP_INDEX_URL to a mirror, or PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder of wheels'
    wanted=$(sed -n 's/.*No matching distribution found for \([^ ]*\).*/\1/p' "$log" | head -n 1)
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        reason="$(sed -n 's/^  *\([^ ]*==[^ ]*\) from .*/\1/p' "$log" | head -n 1) has not the pinned hash: \
see what the index or wheel folder of pip serves, $instead"
    elif grep -q -e 'Retrying (' -e 'Could not fetch URL.*: \(connection error\|timed out\|There was a problem confirming\)' \
        "$log" "$unfinished/pip.log" 2>/dev/null; then
        reason="no package index can be reached: $mirror, $instead"
    elif [ -n "$wanted" ]; then
        reason="pip finds no $wanted for this agent: add it to the index or wheel folder, or $mirror, $instead"
    else
        reason="pip failed: see its words below, $instead"
    fi
    fail 4 "$reason" "$(grep -e '^ERROR' -e '^    ' "$log" | tail -n 8)"
}

unpack='
import os, shutil, sys, sysconfig, zipfile
archive, unfinished = sys.argv[1:]
library = sysconfig.get_path("purelib")
zipfile.ZipFile(archive).extractall(library)
shutil.move(os.path.join(library, "requirements.txt"), unfinished)
'

# Tries the package, and gives the environment its name, unless another build was first.
finish='
import os, shutil, sys
unfinished, environment = sys.argv[1:]
import ecs_pipeline.cli.wiring
open(os.path.join(unfinished, ".complete"), "w").close()
try:
    os.rename(unfinished, environment)
except OSError:
    if os.access(os.path.join(environment, "bin", "python"), os.X_OK):
        shutil.rmtree(unfinished)
    else:
        os.rename(environment, unfinished + ".old")
        os.rename(unfinished, environment)
        shutil.rmtree(unfinished + ".old", ignore_errors=True)
'

forget_old() { # environments that no stage has used for a month
    for other in "$base"/*; do
        [ -z "$(find "$other/.complete" -prune -mtime +30 2>/dev/null)" ] || rm -rf "$other"
    done
}

main "$@"; exit # the archive follows: nothing of it is read as a command
