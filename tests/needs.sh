#!/bin/sh
# What the tests need beyond Python packages: a browser, a reader of PDF, OpenSSH and OpenSSL, unzip, a pooling proxy, an older PostgreSQL. Installed where that is possible,
# named loudly where it is not (their tests are then skipped, and the summary says so).
missing=""
command -v chromium >/dev/null 2>&1 && command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium chromium-driver"
command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
command -v ssh-keygen >/dev/null 2>&1 || missing="$missing openssh-client"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v unzip >/dev/null 2>&1 || missing="$missing unzip"
command -v pdftotext >/dev/null 2>&1 || missing="$missing poppler-utils"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing (for the tests)"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "=========================================================================="
echo "MISSING FOR THE TESTS:$missing"
echo "install with: sudo apt-get install$missing"
echo "=========================================================================="
