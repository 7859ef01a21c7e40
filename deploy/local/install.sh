#!/usr/bin/env bash
# Gets what is missing of PostgreSQL 15+, RabbitMQ 3.10+, Tesseract with rus, kaz, eng and osd,
# poppler-utils and a C compiler from the distribution (Debian 12 and 13, Ubuntu 24.04). It says what it installs
# before it does. Installing starts, enables and changes no system service. `--tests` also gets what only tests use,
# `--model` what the model of `make test-long` is built with.
set -euo pipefail
cd "$(dirname "$0")"
. ./place.sh
. ./postgres.sh
. ./rabbitmq.sh
. ./quiet_install.sh

missing=()
need() { [[ " ${missing[*]:-} " == *" $1 "* ]] || missing+=("$1"); }

bin=$(postgres_bin 2>/dev/null) || bin=''
[[ -n $bin && -x $bin/initdb && -x $bin/psql ]] || need postgresql
# pg_trgm stands for contrib, which Debian has folded into the server's package.
if [[ -n $bin && ! -f ${bin%/bin}/../../../share/postgresql/$(basename "${bin%/bin}")/extension/pg_trgm.control ]]; then
    need postgresql-contrib
fi
rabbitmq_sbin >/dev/null || need rabbitmq-server
command -v tesseract >/dev/null || need tesseract-ocr
languages=$(tesseract --list-langs 2>/dev/null || true)
for language in rus kaz eng osd; do
    grep -qx "$language" <<<"$languages" || need "tesseract-ocr-$language"
done
{ command -v pdftoppm && command -v pdftotext && command -v pdfinfo; } >/dev/null || need poppler-utils

# The tests of a pooler run a real one.
[[ ${1:-} != --tests || -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || need pgbouncer

# A worker of the chaos tests is made to believe in another time; without this library that one fault is left out, so
# who may not install goes on.
if [[ ${1:-} == --tests ]] && ! compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; then
    if ((EUID == 0)) || sudo -n true 2>/dev/null; then need libfaketime; fi
fi

if [[ ${1:-} == --model ]]; then
    /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv
    command -v cmake >/dev/null || need cmake
    command -v make >/dev/null || need make
    command -v c++ >/dev/null || need g++
fi

# What cargo links with; a Rust toolchain of rustup's does not bring it.
command -v cc >/dev/null || { need gcc && need libc6-dev; }

((${#missing[@]})) || exit 0

known=''
if [[ -r /etc/os-release ]]; then
    known=$(. /etc/os-release && printf '%s-%s' "${ID:-}" "${VERSION_ID:-}")
fi
case $known in
    debian-12 | debian-13 | ubuntu-24.04) ;;
    *)
        die "this system is not Debian 12, Debian 13 or Ubuntu 24.04: install PostgreSQL 15+ with contrib, RabbitMQ 3.10+, Tesseract with rus, kaz, eng and osd, and Poppler's tools by its own means, or use deploy/compose.dev.yaml."
        ;;
esac

root=()
if ((EUID != 0)); then
    sudo -n true 2>/dev/null ||
        die "packages are missing and you may not install them; have an administrator run: apt-get install ${missing[*]}"
    # shellcheck disable=SC2034 # quiet_install uses it
    root=(sudo -n)
fi

say "Installing with apt-get: ${missing[*]} (no system service is started)"
quiet_install
