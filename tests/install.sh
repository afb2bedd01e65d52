#!/bin/sh
# Installs what the tests need from Debian's packages where it is missing: Node.js, Chromium, Firefox, WebKit and a screen
# for it, OpenSSL, git, PostgreSQL and nginx.
set -eu
missing=""
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
command -v chromium >/dev/null || missing="$missing chromium fonts-dejavu-core"
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing="$missing firefox-esr"
command -v WebKitWebDriver >/dev/null || missing="$missing webkit2gtk-driver"
command -v Xvfb >/dev/null || missing="$missing xvfb"
command -v openssl >/dev/null || missing="$missing openssl"
command -v git >/dev/null || missing="$missing git"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
[ -z "$missing" ] && exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if ! command -v apt-get >/dev/null || ! $sudo true 2>/dev/null; then
    echo "Please install$missing; the tests need them." >&2
    exit 1
fi
echo "Installing$missing"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
